"""Writing heads and checkpoints anew, from a full replay.

Rule 1: only where the model's journal, and the registry's, are without fault: a head that remembers a lost entry is the evidence of it.
Rule 2: neither the journal nor a blob is touched, and nothing is removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..core.layout import checkpoint_path, head_path
from ..core.state import ModelState
from ..storage.caches import encode_checkpoint, encode_head
from ..storage.store import Store
from .report import Finding, Report
from .strangers import tree_of
from .walk import ModelFiles, read_all, walk_model

HEADS = frozenset({"wrong-head", "unreadable-head", "stale-head", "missing-head", "missing-checkpoint"})
CHECKPOINTS = frozenset({"wrong-checkpoint", "unreadable-checkpoint"})
OF_JOURNALS = frozenset({"changed-entry", "broken-chain", "missing-entry", "lost-journal"})


def repair(store: Store, report: Report) -> tuple[str, ...]:
    """Rewrite the heads and checkpoints that ``report`` found wrong; the files that were written, relative to the root."""
    wanted = {finding.model for finding in report.findings if finding.model and finding.code in HEADS | CHECKPOINTS}
    if not wanted:
        return ()
    files, ground, of_ground = read_all(store, tree_of(store))
    if any(finding.code in OF_JOURNALS for finding in of_ground):
        return ()
    written: list[str] = []
    for model in sorted(wanted & files.keys()):
        walk, findings = walk_model(model, files[model], ground)
        if not any(finding.code in OF_JOURNALS for finding in findings) and walk.state.seq == len(files[model].slots.run):
            for path, raw in _rewritten(model, files[model], ground.policies.registry, walk.state, walk.states, findings):
                store.replace(path, raw)
                written.append(path)
    return tuple(written)


def _rewritten(
    model: str, of: ModelFiles, registry: str | None, state: ModelState, states: Mapping[int, ModelState], findings: list[Finding]
) -> Iterator[tuple[str, bytes]]:
    """The files to be written, checkpoints first, since the head names the newest."""
    wrong = {finding.where for finding in findings if finding.code in CHECKPOINTS | {"missing-checkpoint"}}
    good = [seq for seq, raw in of.stored.raw_checkpoints.items() if raw is not None and checkpoint_path(model, seq) not in wrong]
    for seq in sorted(states):
        if checkpoint_path(model, seq) in wrong:
            yield checkpoint_path(model, seq), encode_checkpoint(model, states[seq])
            good.append(seq)
    if any(finding.code in HEADS for finding in findings):
        yield head_path(model), encode_head(model, registry, state, max((s for s in good if s <= state.seq), default=0))
