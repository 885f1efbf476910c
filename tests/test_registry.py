"""The registry as its people use it: exactly once, gated, rolled back, asked about the past, and never loaded unverified."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowreg import BadInput, Conflict, Corrupt, GateBlocked, NotFound, Policy, Refused, Registry
from flowreg.core.events import Run
from flowreg.core.layout import blob_path
from tests.conftest import Root

POLICY = Policy(
    policy="churn", models=["churn"], alias="champion", dataset="holdout", no_baseline="skip", override={"by": ["head-*"]},
    gates=["auc >= 0.80", "auc >= champion.auc - 0.01"],
)  # fmt: skip


def add(registry: Registry, auc: float, **more: Any) -> str:
    """One more version of churn, measured on the holdout."""
    artifact = more.pop("artifact", {"auc": auc})
    return registry.register("churn", artifact, trust="pickle", metrics={"auc": auc}, on="holdout", **more).ref


@pytest.fixture
def registry(any_root: Root) -> Registry:
    """An empty registry on every kind of root, with a policy for its champion."""
    url, options = any_root
    opened = Registry(url, storage_options=options, actor="ana")
    opened.set_policy(POLICY)
    return opened


def test_a_year_of_a_model(registry: Registry, tmp_path: Path) -> None:
    """Registered, promoted, blocked, overridden, rolled back, retired and restored: each step does what it says, on every root."""
    assert add(registry, 0.90) == "churn@1"
    assert registry.promote("churn@1", to="champion").how == "promotion"
    add(registry, 0.88)
    with pytest.raises(GateBlocked, match=r"auc 0\.8800 is below champion\.auc - 0\.01 = 0\.8900"):
        registry.promote("churn@2", to="champion")
    with pytest.raises(Refused, match="does not allow ana to override"):
        registry.promote("churn@2", to="champion", override="I want it")
    add(registry, 0.95)
    registry.promote("churn@3", to="champion", because="better")
    assert registry.rollback("churn@champion", because="complaints", keep=True).version.number == 1
    registry.retire("churn@3", because="leaks the target")
    with pytest.raises(Refused, match="it was retired by ana"):
        registry.promote("churn@3", to="champion")
    registry.restore("churn@3", because="it does not, after all")
    registry.label("churn@3", {"reviewed": "yes"})

    assert registry.get("churn@champion").number == 1
    assert registry.get("churn@3").labels == {"reviewed": "yes"}
    assert [d.outcome for d in registry.decisions("churn@2")] == ["blocked"]
    assert registry.load("churn@champion", trust=True) == {"auc": 0.90}
    assert sorted(p.name for p in registry.fetch("churn@3", tmp_path / "out").iterdir()) == ["model.pkl"]
    assert registry.diff("churn@1", "churn@3").sections["metrics"] == {"auc": (0.90, 0.95)}


def test_another_process_sees_the_same(any_root: Root) -> None:
    """What one writer acknowledged, a second one reads at once and builds upon."""
    url, options = any_root
    if url.startswith("memory"):
        pytest.skip("memory ends with its process: nobody else can see it")
    first, second = Registry(url, storage_options=options), Registry(url, storage_options=options)
    add(first, 0.9)
    add(second, 0.8)
    add(first, 0.7)

    assert [v.number for v in second.versions("churn")] == [1, 2, 3]
    assert [line.newest for line in Registry(url, storage_options=options).models()] == [3]


def test_the_same_key_is_the_same_version(registry: Registry) -> None:
    """A retry is not a twin, and a different artifact under a used key is refused by name."""
    first = add(registry, 0.9, key="weekly-31")

    assert add(registry, 0.9, key="weekly-31") == first
    with pytest.raises(Refused, match="the key 'weekly-31' was used before, for a different artifact"):
        add(registry, 0.9, key="weekly-31", artifact={"other": 1})
    assert len(registry.versions("churn")) == 1


def test_a_flow_run_makes_no_twin(registry: Registry) -> None:
    """Within a flow run the same bytes are the same version; other bytes, or another run, are another."""
    run, other = Run(flow_run="r1", task_run="t1"), Run(flow_run="r1", task_run="t2")
    assert add(registry, 0.9, run=run) == add(registry, 0.9, run=other) == "churn@1"

    assert add(registry, 0.9, run=Run(flow_run="r2")) == "churn@2"
    assert add(registry, 0.9, run=run, artifact={"w": 3}) == "churn@3"


def test_an_alias_without_a_policy_moves_freely(registry: Registry) -> None:
    """Only an alias that a policy names is protected."""
    add(registry, 0.1)

    assert registry.promote("churn@1", to="challenger").how == "set"
    registry.remove_alias("churn@challenger")
    with pytest.raises(NotFound):
        registry.get("churn@challenger")


def test_an_override_is_shown_for_ever(registry: Registry, any_root: Root) -> None:
    """Who may, may, with a reason; the decision keeps both."""
    url, options = any_root
    add(registry, 0.1)
    head = Registry(url, storage_options=options, actor="head-of-risk")

    move = head.promote("churn@1", to="champion", override="the old one is down")

    assert move.how == "override"
    assert move.decision is not None
    assert move.decision.override is not None
    assert (move.decision.override.by, move.decision.override.reason) == ("head-of-risk", "the old one is down")
    assert registry.decisions("churn@1")[-1].override == move.decision.override


def test_the_champion_that_moved_meanwhile_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two promotions judged against the same holder one takes effect; the other is told, and changes nothing."""
    slow, quick = Registry(tmp_path / "r"), Registry(tmp_path / "r")
    slow.set_policy(POLICY)
    for auc in (0.90, 0.91, 0.92):
        add(slow, auc)
    slow.promote("churn@1", to="champion")
    from flowreg import judging

    judged, raced = judging.judged, threading.Event()

    def judged_slowly(*args: Any, **options: Any) -> Any:
        decision = judged(*args, **options)
        if not raced.is_set():
            raced.set()
            quick.promote("churn@2", to="champion")
        return decision

    monkeypatch.setattr(judging, "judged", judged_slowly)

    with pytest.raises(Conflict, match="champion of churn moved from version 1 to version 2 while the gates ran"):
        slow.promote("churn@3", to="champion")
    assert quick.get("churn@champion").number == 2
    assert slow.promote("churn@3", to="champion").previous == 2


def test_many_threads_make_consecutive_versions(registry: Registry) -> None:
    """One registry shared by threads: no number is lost or given twice."""
    refs: list[str] = []
    threads = [threading.Thread(target=lambda i=i: refs.append(add(registry, 0.5, artifact={"i": i}))) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(refs, key=lambda ref: int(ref.partition("@")[2])) == [f"churn@{n}" for n in range(1, 13)]


def test_a_changed_byte_is_never_loaded(tmp_path: Path) -> None:
    """Verified before any loader: a pickle that was swapped is not even opened."""
    registry = Registry(tmp_path / "r")
    add(registry, 0.9)
    (digest,) = registry.files("churn@1").values()
    blob = tmp_path / "r" / blob_path(digest)
    blob.write_bytes(b"cos\nsystem\n(S'touch " + bytes(tmp_path / "ran") + b"'\ntR.")

    with pytest.raises(Corrupt, match=r"sha256 of model\.pkl of churn@1 is .* the record says"):
        registry.load("churn@1", trust=True)
    with pytest.raises(Corrupt):
        registry.fetch("churn@1", tmp_path / "out")
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "out").exists()


def test_a_rollback_to_lost_bytes_is_refused(tmp_path: Path) -> None:
    """Going back to what cannot be loaded would be worse than staying."""
    registry = Registry(tmp_path / "r")
    add(registry, 0.9)
    add(registry, 0.8)
    registry.promote("churn@1", to="champion")
    registry.promote("churn@2", to="champion")
    (tmp_path / "r" / blob_path(next(iter(registry.files("churn@1").values())))).unlink()

    with pytest.raises(Corrupt, match="are gone"):
        registry.rollback("churn@champion", because="bad")
    assert registry.get("churn@champion").number == 2


HOSTILE: dict[str, Callable[[Registry, Path], object]] = {
    "model name": lambda r, _: r.register("../../etc", {}, trust="pickle"),
    "model name with a null": lambda r, _: r.register("a\0b", {}, trust="pickle"),
    "alias": lambda r, _: r.promote("churn@1", to="Champion!"),
    "label": lambda r, _: r.register("churn", {}, trust="pickle", labels={"a": "x" * 1_000_000}),
    "control character": lambda r, _: r.register("churn", {}, trust="pickle", labels={"a": "\x1b[31m"}),
    "lone surrogate": lambda r, _: r.register("churn", {}, trust="pickle", params={"a": "\ud800"}),
    "boolean metric": lambda r, _: r.register("churn", {}, trust="pickle", metrics={"auc": True}),
    "text metric": lambda r, _: r.register("churn", {}, trust="pickle", metrics={"auc": "0.9"}),
    "huge integer": lambda r, _: r.register("churn", {}, trust="pickle", metrics={"auc": 10**400}),
    "deep params": lambda r, _: r.register("churn", {}, trust="pickle", params={"a": eval("[" * 50 + "]" * 50)}),
    "slice": lambda r, _: r.evaluate("churn@1", slices={"region": {"auc": 1}}),
    "missing path": lambda r, p: r.register("churn", p / "nothing"),
    "link": lambda r, p: r.register("churn", _made(p / "link", lambda at: at.symlink_to("/etc/passwd"))),
    "link in a folder": lambda r, p: r.register("churn", _made(p / "d/link", lambda at: at.symlink_to("/etc/passwd")).parent),
    "pipe": lambda r, p: r.register("churn", _made(p / "pipe", os.mkfifo)),
    "unsafe file name": lambda r, p: r.register("churn", _made(p / "d/a:b", Path.touch).parent),
    "names that meet": lambda r, p: r.register("churn", _made(_made(p / "d/a", Path.touch).with_name("A"), Path.touch).parent),
    "empty folder": lambda r, p: r.register("churn", _made(p / "empty", Path.mkdir)),
    "reason": lambda r, _: r.retire("churn@1", because="   "),
    "reference": lambda r, _: r.get("churn@04"),
    "moment": lambda r, _: r.get("churn@1", as_of="yesterday"),
}


def _made(path: Path, make: Callable[[Path], object]) -> Path:
    path.parent.mkdir(exist_ok=True)
    make(path)
    return path


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_input_writes_nothing(tmp_path: Path, hostile: str) -> None:
    """Each is refused with what is allowed instead, and not a byte is written."""
    registry = Registry(tmp_path / "r")
    add(registry, 0.9)
    registry.flush()
    before = sorted(p for p in (tmp_path / "r").rglob("*") if p.is_file())

    with pytest.raises(BadInput) as refused:
        HOSTILE[hostile](registry, tmp_path)

    assert refused.value.do or hostile == "unsafe file name", "it says what is allowed"
    assert sorted(p for p in (tmp_path / "r").rglob("*") if p.is_file()) == before


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_diverged_model_is_kept_and_blocked(tmp_path: Path, value: float) -> None:
    """NaN and infinities are worth recording; no gate that meets one lets it pass."""
    registry = Registry(tmp_path / "r")
    registry.set_policy(POLICY)
    add(registry, value)

    with pytest.raises(GateBlocked):
        registry.promote("churn@1", to="champion")
    assert str(registry.get("churn@1").metrics["auc"]) == str(value)


def test_killed_in_the_middle_nothing_is_half_done(tmp_path: Path) -> None:
    """A process that registers without end is killed again and again: every version is whole, every repeat finds itself."""
    code = (
        "import sys, itertools; from flowreg import Registry; r = Registry(sys.argv[1])\n"
        "for i in itertools.count(int(sys.argv[2])):\n"
        "    v = r.register('m', {'i': i, 'fill': 'x' * 50_000}, trust='pickle', key=f'job-{i}'); print(i, v.number, flush=True)"
    )
    acknowledged: dict[int, int] = {}
    for _ in range(5):
        start = max(acknowledged, default=-1) + 1
        process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "r"), str(start)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _, line in zip(range(7), process.stdout, strict=False):
            acknowledged.update([tuple(map(int, line.split()))])
        process.send_signal(signal.SIGKILL)
        acknowledged.update(tuple(map(int, line.split())) for line in process.stdout if len(line.split()) == 2)
        process.wait()
    registry = Registry(tmp_path / "r")

    versions = registry.versions("m")
    assert {int((v.key or "").removeprefix("job-")): v.number for v in versions}.items() >= acknowledged.items()
    assert [v.number for v in versions] == list(range(1, len(versions) + 1))
    assert len({v.key for v in versions}) == len(versions)
    for version in versions:
        assert registry.load(version, trust=True)["i"] == int((version.key or "").removeprefix("job-"))


def test_nothing_is_built_on_a_blob_that_was_cut_off(any_root: Root, tmp_path: Path) -> None:
    """The same bytes again, where the stored ones were emptied: refused, with no version that could not be loaded."""
    url, options = any_root
    registry = Registry(url, storage_options=options)
    (tmp_path / "weights.bin").write_bytes(b"x" * 1000)
    registry.register("m", tmp_path / "weights.bin")
    registry._store.replace(blob_path(next(iter(registry.files("m@1").values()))), b"")

    with pytest.raises(Corrupt, match="a blob of 1000 bytes is stored with 0 bytes"):
        registry.register("m", tmp_path / "weights.bin")
    assert [v.number for v in registry.versions("m")] == [1]


def test_what_is_no_policy_is_refused(tmp_path: Path) -> None:
    """A path or a mapping is not a policy; the text says how to read one."""
    with pytest.raises(BadInput, match="is not a policy"):
        Registry(tmp_path / "r").set_policy("policies/churn.yaml")  # type: ignore[arg-type]
