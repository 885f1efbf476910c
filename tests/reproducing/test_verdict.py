"""Golden inputs come back as they were, and a verdict is no better than what was compared."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from flowreg import BadInput, Dataset, Registry
from flowreg.core.events import Environment, Git, Run
from flowreg.golden import ROWS, decoded, golden_of
from flowreg.reproducing.verdict import furthest


class Model:
    """A model that adds up, and is off by ``gap``."""

    def __init__(self, gap: float = 0.0) -> None:
        self.gap = gap

    def predict(self, frame: Any) -> Any:
        values = frame.to_numpy() if hasattr(frame, "to_numpy") else frame
        return np.asarray([sum(v for v in row if isinstance(v, int | float)) * (1 + self.gap) for row in values.tolist()])


FRAMES = {
    "pandas": pd.DataFrame({"a": range(100), "b": np.linspace(0, 1, 100), "c": [True, False] * 50, "d": ["x"] * 100}),
    "narrow": pd.DataFrame({"a": np.arange(3, dtype="int8"), "b": np.array([1, np.nan, np.inf], dtype="float32")}),
    "polars": pl.DataFrame({"a": range(100), "b": [float(n) for n in range(100)]}),
    "array": np.random.default_rng(1).normal(size=(50, 3)),
    "float32": np.ones((5, 2), dtype="float32"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_golden_inputs_come_back_as_they_were(name: str) -> None:
    """Values, types, names, evenly spaced with the first and the last row; the model answers the same to them."""
    frame: Any = FRAMES[name]
    golden = decoded(golden_of(Model(), frame), "x")
    back = golden.frame()

    assert len(back) == min(ROWS, len(frame))
    assert type(back) is type(frame)
    if isinstance(frame, pd.DataFrame):
        pd.testing.assert_frame_equal(back.iloc[[0, -1]].reset_index(drop=True), frame.iloc[[0, -1]].reset_index(drop=True))
    elif isinstance(frame, pl.DataFrame):
        assert back[0].equals(frame[0])
        assert back.schema == frame.schema
    else:
        assert back.dtype == frame.dtype
        assert np.array_equal(back[[0, -1]], frame[[0, -1]])
    assert furthest(golden.outputs, golden.answered_by(Model())) == 0.0


@pytest.mark.parametrize("frame", [pd.DataFrame({"a": pd.to_datetime(["2026-01-01"])}), pd.DataFrame({"a": [2**60]}), pd.DataFrame(), [1]])
def test_what_cannot_be_kept_exactly_is_not_kept(frame: Any, tmp_path: Path) -> None:
    """It is registered all the same, with a warning where it was asked for."""
    with pytest.raises((BadInput, TypeError)):
        golden_of(Model(), frame)


def registered(registry: Registry, gap: float, **more: Any) -> str:
    frame = pd.DataFrame({"a": np.linspace(1, 2, 30)})
    golden = more.pop("golden", frame)
    return registry.register("m", Model(gap), trust="pickle", golden=golden, metrics={"auc": 0.9 + gap}, on="h", **more).ref


def test_the_four_outcomes(tmp_path: Path) -> None:
    """Bytes, then answers, then closeness; a pickle is asked only with trust."""
    registry = Registry(tmp_path / "models")
    first = registered(registry, 0.0)
    same = registered(registry, 0.0, key="again")
    near, far = registered(registry, 1e-9), registered(registry, 0.01)
    exact = registered(registry, 0.0, params={"note": 1})
    (tmp_path / "file").write_text("x")

    assert registry.compare(first, same).outcome == "identical"
    assert registry.compare(first, exact).outcome == "identical"
    assert registry.compare(first, near, trust=True).outcome == "within tolerance"
    assert registry.compare(first, far, trust=True).outcome == "different"
    assert registry.compare(first, far, trust=True, tolerance=0.1).outcome == "within tolerance"
    untrusted = registry.compare(first, near)
    assert "was not asked" in untrusted.notes[0]
    assert "golden inputs" not in untrusted.compared
    with pytest.raises(BadInput, match="tolerance"):
        registry.compare(first, near, tolerance=-1)


def test_same_predictions_from_other_bytes(tmp_path: Path) -> None:
    """A file beside the model differs; the answers do not."""
    registry = Registry(tmp_path / "models")
    first = registered(registry, 0.0)
    model = Model(0.0)
    model.note = "other bytes"  # type: ignore[attr-defined]
    other = registry.register("m", model, trust="pickle", metrics={"auc": 0.1}, on="h").ref

    verdict = registry.compare(first, other, trust=True)
    assert (verdict.outcome, verdict.worst) == ("same predictions", 0.0)


def test_nothing_to_compare_is_different(tmp_path: Path) -> None:
    """What was not compared is not called equal."""
    registry = Registry(tmp_path / "models")
    for text in ("a", "b"):
        (tmp_path / "f").write_text(text)
        registry.register("m", tmp_path / "f")

    verdict = registry.compare("m@1", "m@2")
    assert verdict.outcome == "different"
    assert "nothing but the bytes could be compared" in verdict.notes
    assert not registry.get("m@1").golden


def test_causes_are_told_in_their_order(tmp_path: Path) -> None:
    """Data before code before parameters before seeds before the machine."""
    registry = Registry(tmp_path / "models")

    def run(commit: str, parameter: int, seed: int, cpu: str) -> Run:
        return Run(git=Git(commit=commit * 40), parameters={"n": parameter}, seeds={"numpy": seed}, environment=Environment(cpu=cpu))

    first = registered(registry, 0.0, run=run("a", 1, 1, "x"), data=[Dataset("s3://d/x", digest="sha256:1", role="train")])
    other = registered(registry, 0.5, run=run("b", 2, 2, "y"), data=[Dataset("s3://d/x", digest="sha256:2", role="train")])

    verdict = registry.compare(first, other, trust=True)
    assert [change.what for change in verdict.differences] == ["data x (train)", "commit", "parameter n", "seed numpy", "processor"]
    assert verdict.first is not None
    assert (verdict.first.then, verdict.first.now) == ("sha256:1", "sha256:2")


@pytest.mark.parametrize(
    ("a", "b", "gap"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0), ([1.0], [1.0, 2.0], math.inf), ({"p": [1]}, {"q": [1]}, math.inf), (["x"], ["y"], math.inf),
        ([math.nan], [math.nan], 0.0), ([math.nan], [1.0], math.inf), ([1.0], [1.1], 0.1 / 1.1), ([True], [1], 0.0), ([0.0], [1e-9], 1.0),
    ],
)  # fmt: skip
def test_how_far_apart(a: Any, b: Any, gap: float) -> None:
    """Relative to the greater; infinite where there is nothing to compare."""
    assert furthest(a, b) == pytest.approx(gap)


def test_golden_inputs_are_taken_from_the_training_frame_unless_told_not_to(tmp_path: Path) -> None:
    """With ``signature=`` of an object; never of a file; ``golden=False`` keeps none."""
    registry = Registry(tmp_path / "models")
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    (tmp_path / "f").write_text("x")

    assert registry.register("m", Model(), trust="pickle", signature=frame).golden
    assert registry.register("m", Model(1), trust="pickle", signature=frame, golden=False).golden is None
    assert registry.register("m", tmp_path / "f", signature=frame).golden is None
    odd = registry.register("m", Model(2), trust="pickle", golden=frame.assign(t=pd.Timestamp("2026-01-01")))
    assert odd.golden is None
    assert odd.run is not None
    assert odd.run.warnings[0].startswith("golden inputs: a column of type datetime64")
