"""Writes the golden registry of what format 1 came to know later: ``python -m tests.golden.make_v1_later FOLDER``.

Run once; the result is never made again.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from flowreg import GateBlocked, Policy, Registry
from flowreg.core.codec import encode_entry
from flowreg.core.events import By, BytesDropped, Envelope
from tests.golden.make_v1 import _freeze_time_and_chance

POLICY = Policy(
    policy="reviewed", models=["churn"], alias="champion", dataset="july", no_baseline="skip",
    gates=["auc >= 0.60", {"check": "approval", "by": ["model-risk"]}],
)  # fmt: skip


def write(folder: Path) -> None:
    """People and their words, barred bytes, holds, fences, and bytes that were dropped and came back."""
    _freeze_time_and_chance()
    ana, bo, cleo = (Registry(folder, actor=actor) for actor in ("ana", "bo", "cleo"))
    ana.set_people({"model-risk": ["ana", "bo", "cleo"], "ops": ["dan"]}, because="as of this quarter")
    ana.set_policy(POLICY, because="go-live")
    for content in ("first", "second", "third"):
        _register(ana, content)
    _blocked(ana, "churn@1")
    bo.approve("churn@1", to="champion", because="read the report")
    ana.promote("churn@1", to="champion")
    cleo.approve("churn@2", to="champion", because="worse in the south", reject=True)
    bo.approve("churn@3", to="champion", because="fine", person="bea", via="prefect", key="form-1")
    ana.retire("churn@2", because="biased")
    _register(bo, "second")
    ana.hold("churn@3", because="case 7")
    _vandal(folder, ana, version=1)
    ana.collect(dry_run=False, grace=timedelta(0), retired=True)
    ana.release("churn@3", because="closed")
    ana.retire("churn@3", because="never wanted")
    ana.collect(dry_run=False, grace=timedelta(0), retired=True)
    _register(cleo, "third")
    ana.restore("churn@3", because="wanted after all")
    ana.set_people({"ops": []})
    ana.flush()


def _register(registry: Registry, content: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.txt")
        file.write_text(content)
        registry.register("churn", file, metrics={"auc": 0.7}, on="july")


def _blocked(registry: Registry, ref: str) -> None:
    with contextlib.suppress(GateBlocked):
        registry.promote(ref, to="champion")
        raise AssertionError("it waits for people")


def _vandal(folder: Path, registry: Registry, *, version: int) -> None:
    """Somebody drops the bytes of a version that is not retired, by hand: without effect."""
    state, created = registry._journals.of("churn").state(), registry._journals.registry.state()
    said = Envelope(
        registry=created.registry, model="churn", seq=state.seq + 1, parent=state.digest, id="vandal", at="2026-11-22T09:59:00.000Z",
        by=By(actor="mallory"), under=state.under, events=(BytesDropped(version=version, manifest=state.versions[version - 1].manifest),),
    )  # fmt: skip
    (folder / f"models/churn/journal/{said.seq:020d}.json").write_bytes(encode_entry(said))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
