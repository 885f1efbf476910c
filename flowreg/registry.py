"""The registry: what people call. Every method checks what it is given, lets the core decide, and appends or reads.

Rule 1: no rule lives here. They are in ``core.decide``, the gates in ``gates``, the loop in ``journals``, the bytes in ``storage``.
Rule 2: what is given is checked before a byte is written.
Rule 3: bytes first, then one journal entry. What is interrupted leaves blobs that nothing refers to.
Rule 4: the gates and their language are imported by the methods that judge; listing, loading and registering do without.

It is long because it is the list of all that can be asked; no method is.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import governing, promoting, reading, recording, tables
from .artifacts import fetch_artifact, load_artifact
from .core import decide, given
from .core.decision import Decision
from .core.events import Event
from .core.names import model_name
from .core.policies import PolicyRecord
from .core.state import ModelState
from .core.views import AliasMove, Approval, Difference, Evaluation, HistoryLine, ModelLine, Version, difference, version_view
from .dropped import refuse_dropped, told_if_dropped
from .errors import Corrupt
from .inside import Inside, Moment, VersionRef
from .journals import Journals
from .lineage.loaded import note_loaded
from .root import default_root
from .storage import blobs
from .storage.hashing import Progress, no_progress
from .storage.parallel import parallel_map
from .storage.store import open_store
from .tracing import Traces, question

if TYPE_CHECKING:
    from .check import Report
    from .collected import Collection
    from .gates import Policy
    from .inventory import InventoryLine
    from .lineage.graph import Lineage
    from .rehearsing import Rehearsed
    from .reproducing.plan import Plan
    from .reproducing.verdict import Verdict
    from .scoring import Scoring


class Registry:
    """A model registry in a folder, or on any filesystem that fsspec knows.

    ``root`` is a path or URL; without it ``$FLOWREG_ROOT``, ``[tool.flowreg] root`` in pyproject.toml, or ``~/.flowreg``.
    ``storage_options`` go to the filesystem. Nothing is read or written before the first call; the first write creates it.
    Safe to share between threads. Not to be pickled: it may hold credentials.

    >>> registry = Registry("memory://example")
    >>> registry.register("churn", {"weights": [1, 2]}, trust="pickle", metrics={"auc": 0.91}, on="holdout").ref
    'churn@1'
    """

    def __init__(
        self, root: str | os.PathLike[str] | None = None, *, storage_options: Mapping[str, Any] | None = None, actor: str | None = None
    ) -> None:
        self._store = open_store(default_root() if root is None else root, storage_options)
        self._journals = Journals(self._store, given.actor(actor))
        self._traces = Traces()

    @property
    def root(self) -> str:
        """Where this registry lies, safe to show: without user, password or query."""
        return self._store.root

    def __repr__(self) -> str:
        return f"Registry({self.root!r})"

    def __reduce__(self) -> Any:
        raise TypeError("a Registry holds credentials and locks; pass its root and open it where it is used")

    # -- versions ------------------------------------------------------------------------------------------------------

    def register(
        self,
        model: str,
        artifact: Any,
        *,
        metrics: Mapping[str, Any] | None = None,
        on: Any = None,
        slices: Mapping[Any, Mapping[str, Any]] | None = None,
        params: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        data: Iterable[Any] = (),
        parents: Iterable[Any] = (),
        signature: Any = None,
        golden: Any = None,
        card: str | None = None,
        key: str | None = None,
        run: Any = None,
        trust: str | None = None,
        loader: str | None = None,
        because: str | None = None,
        progress: Progress = no_progress,
    ) -> Version:
        """Store an artifact as the next version of ``model``.

        ``artifact`` is a path (file or folder) or an object that an installed format can save; pickle only with
        ``trust="pickle"``. ``metrics`` (with ``n``, the number of examples, among them) and ``slices``
        (``{"region=south": {"recall": 0.69, "n": 212}}``) were measured on the dataset ``on``, a name or a ``Dataset``.
        ``data`` is what it was made of: paths, frames, ``Dataset`` values; what lies on this machine is read whole for its digest.
        ``parents`` are references. ``signature`` says what the model takes: its training frame, or a ``Signature``. The same ``key``
        again returns the same version; a different artifact under it is ``Refused``.
        Inside a flow run the run, its code and environment are recorded, and the same bytes are the same version however often
        the run is retried; elsewhere ``run=flowreg.lineage.capture.capture()`` records the surroundings.
        Of an object that predicts, and the frame given as ``signature`` or ``golden``, 20 rows are kept with its answers, so that
        ``reproduce`` can compare (``golden=False``: none).
        ``progress`` is called with the size in bytes of each file that is stored.
        """
        draft = recording.drafted(
            self._inside, key=key, params=params, labels=labels, data=data, parents=parents, signature=signature, card=card, golden=golden,
            measured=recording.measures(metrics, slices, on),
        )  # fmt: skip
        return recording.register(
            self._inside, model, artifact, draft, run=run, trust=trust, loader=loader, because=because, progress=progress
        )  # fmt: skip

    def evaluate(
        self,
        ref: VersionRef,
        metrics: Mapping[str, Any] | None = None,
        *,
        on: Any = None,
        slices: Mapping[Any, Mapping[str, Any]] | None = None,
        examples: str | os.PathLike[str] | None = None,
        evaluator: str | None = None,
        key: str | None = None,
        run: Any = None,
        because: str | None = None,
    ) -> Evaluation:
        """Record measured facts about a version; they are never overwritten. See ``register`` for ``metrics``, ``slices``, ``on``.

        ``examples`` is a file with one row for each example (Parquet or NPZ); ``evaluator`` names the code that measured. The same
        ``key`` again, or the same values from the same flow run, are the same evaluation.
        """
        measured = recording.measures(metrics, slices, on)
        return recording.evaluate(
            self._inside, ref, measured, examples=examples, evaluator=evaluator, key=key, run=run, because=because
        )  # fmt: skip

    def evaluate_on(
        self,
        ref: VersionRef,
        scoring: Scoring,
        *,
        also: str | None = None,
        trust: bool = False,
        run: Any = None,
        because: str | None = None,
    ) -> tuple[Evaluation, ...]:
        """Load a version, score it as ``flowreg.scoring.evaluate_on`` says, and record the numbers, the slices and the examples.

        ``also`` is an alias, such as "champion", whose holder is scored on the same data, so that gates can compare them; its evaluation
        comes second. ``trust`` as for ``load``. Nothing is recorded unless all were scored.
        """
        return recording.evaluate_on(self._inside, ref, scoring, also=also, trust=trust, run=run, because=because)

    def label(self, ref: VersionRef, labels: Mapping[str, str | None], *, because: str | None = None) -> Version:
        """Set labels of a version; a value of None takes one away."""
        wanted, reason = given.label_changes(labels), given.reason(because)
        return self._inside.about(ref, lambda state, number, _: decide.label(state, number, wanted), reason)

    def retire(self, ref: VersionRef, *, because: str) -> Version:
        """Bar a version from every alias. Its bytes stay."""
        reason = given.required_reason(because, "retiring a version")
        return self._inside.about(ref, lambda state, number, model: decide.retire(state, number, model=model), reason)

    def hold(self, ref: VersionRef, *, because: str) -> None:
        """A legal hold on a version, or with a bare name on a whole model: no retiring, no byte is removed, until ``release``."""
        self._held(ref, decide.hold, given.required_reason(because, "a hold"))

    def release(self, ref: VersionRef, *, because: str) -> None:
        """Lift a hold."""
        self._held(ref, decide.release, given.required_reason(because, "releasing a hold"))

    def restore(self, ref: VersionRef, *, because: str) -> Version:
        """Lift the bar of ``retire``."""
        reason = given.required_reason(because, "restoring a version")
        return self._inside.about(ref, lambda state, number, _: decide.restore(state, number), reason)

    # -- aliases and their gates ---------------------------------------------------------------------------------------

    def judge(self, ref: VersionRef, *, to: str) -> Decision:
        """What the gates say about moving the alias ``to`` to this version. A dry run: nothing is recorded.

        Raises ``NotFound`` where no policy protects the alias.
        """
        return promoting.judge(self._inside, ref, to)

    def ask(self, ref: VersionRef, *, to: str, because: str | None = None, run: Any = None) -> Decision:
        """Ask for a promotion that people must approve: the gates are judged, and a decision that waits for people is recorded.

        Nothing moves. Raises ``NotFound`` where no policy protects the alias.
        """
        return promoting.ask(self._inside, ref, to, because=because, run=run)

    def approve(
        self,
        ref: VersionRef,
        *,
        to: str,
        because: str,
        reject: bool = False,
        person: str | None = None,
        via: str | None = None,
        key: str | None = None,
        run: Any = None,
    ) -> Approval:
        """Say yes (or with ``reject`` no) to moving the alias ``to`` to this version, for the approval gates of its policy.

        It counts for this candidate, the present holder and the present policy: if any of them changes it is void. Of several
        words of one person the last counts. ``person`` names whose word a program passes on, and ``via`` how that came; else it is
        this registry's actor. The same ``key`` again is the same word. ``Refused`` where the version is retired or holds the
        alias already, ``NotFound`` where no policy protects it.
        """
        word = promoting.Word("rejected" if reject else "approved", because, person, via, key)
        return promoting.approve(self._inside, ref, to, word, run=run)

    def approvals(self, ref: VersionRef) -> tuple[Approval, ...]:
        """What people have said about promoting a version, the oldest first; also what is void since."""
        return promoting.approvals(self._inside, ref)

    def promote(self, ref: VersionRef, *, to: str, because: str | None = None, override: str | None = None, run: Any = None) -> AliasMove:
        """Move the alias ``to`` to this version if its gates pass; the decision is recorded either way.

        Without a policy the alias simply moves. Raises ``GateBlocked`` with a sentence for each gate that stands in the way,
        ``Conflict`` where the holder changed meanwhile. ``override`` is a reason to go over the gates, where the policy allows
        this actor to.
        """
        return promoting.promote(self._inside, ref, to, because=because, override=override, run=run)

    def rollback(
        self, ref: str, *, because: str, to: VersionRef | int | None = None, keep: bool = False, run: Any = None
    ) -> AliasMove:  # fmt: skip
        """Move an alias back to the last good holder of those that led to the present one, or to the earlier holder ``to``.

        ``ref`` is ``churn@champion``, or ``churn@champion~2`` for two steps. The bytes of the target are verified first. The version
        that it leaves is retired with its bytes, so that no retraining can bring them back, unless ``keep`` is given or another alias
        or a hold needs it (then ``AliasMove.kept`` says so). ``undo_rollback`` takes all of it back.
        """
        return promoting.rollback(self._inside, ref, because=because, to=to, keep=keep, run=run)

    def undo_rollback(self, ref: str, *, because: str, run: Any = None) -> AliasMove:
        """Take the last rollback of an alias back: its bytes are no longer retired, and the alias names them again.

        ``Refused`` where the last move of the alias was no rollback.
        """
        return promoting.undo_rollback(self._inside, ref, because=because, run=run)

    def remove_alias(self, ref: str, *, because: str | None = None) -> None:
        """Take an alias that no policy protects away: nobody holds it then."""
        promoting.remove_alias(self._inside, ref, because=because)

    # -- policies and people -------------------------------------------------------------------------------------------

    def set_policy(self, policy: Policy, *, because: str | None = None) -> PolicyRecord:
        """Put a policy in force: the alias it names is protected from now on. The same text again changes nothing."""
        return governing.set_policy(self._inside, policy, because=because)

    def remove_policy(self, name: str, *, because: str) -> None:
        """Take a policy out of force; what it protected may be moved by anybody then."""
        governing.remove_policy(self._inside, name, because=because)

    def policies(self, *, as_of: Moment = None) -> tuple[PolicyRecord, ...]:
        """The policies in force, by name."""
        return governing.policies(self._inside, as_of)

    def policy_history(self, name: str) -> tuple[PolicyRecord, ...]:
        """Every revision of a policy there was, the oldest first; those no longer in force say until which entry they were."""
        return governing.revisions(self._inside, name)

    def rehearse(self, policy: Policy) -> tuple[Rehearsed, ...]:
        """What the policy would have said about every promotion of the past that it covers, as of then. Nothing is written.

        No function of a python gate is called; words that people gave under another policy do not count.
        """
        from .rehearsing import rehearse

        return rehearse(self._inside, governing.whole(self._inside, policy))

    def set_people(
        self, groups: Mapping[str, Iterable[str]], *, only: bool = False, because: str | None = None
    ) -> Mapping[str, tuple[str, ...]]:  # fmt: skip
        """Say who is in which group (``{"model-risk": ["ana", "bo"]}``), for approval gates; all groups there are after it.

        An empty group is taken away; ``only`` takes away all that are not named.
        """
        return governing.set_people(self._inside, groups, only=only, because=because)

    def people(self, *, as_of: Moment = None) -> Mapping[str, tuple[str, ...]]:
        """The people of each group."""
        return governing.people(self._inside, as_of)

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self, ref: VersionRef, *, as_of: Moment = None) -> Version:
        """The version that ``ref`` names now, or named at the moment ``as_of`` (a ``datetime`` or RFC 3339 text)."""
        parsed = reading.as_ref(ref)
        state = self._inside.state(parsed.model, as_of)
        return version_view(parsed.model, state, decide.resolve(state, parsed))

    def versions(self, model: str, *, as_of: Moment = None) -> tuple[Version, ...]:
        """All versions of a model, the oldest first."""
        state = self._inside.known(model_name(model), as_of)
        return tuple(version_view(model, state, version) for version in state.versions)

    def models(self, *, as_of: Moment = None) -> tuple[ModelLine, ...]:
        """Every model of the registry at a glance, by name; one whose journal is damaged says so in ``broken``."""
        names = set(reading.model_names(self._store))
        with contextlib.suppress(Corrupt):  # a listing may lag; this names every model that was written by this format
            names |= self._journals.registry.state().models
        lines = parallel_map(lambda name: self._line(name, as_of), sorted(names), threads=8)
        return tuple(line for line in lines if line.newest or line.broken)

    def history(self, model: str, *, as_of: Moment = None) -> tuple[HistoryLine, ...]:
        """Everything that happened to a model, the oldest first, with who and why; slots without effect are shown with the reason."""
        self._inside.known(model_name(model), None)
        return reading.history(self._journals.of(model).slots(), self._journals.replay, reading.moment(as_of))

    def diff(self, before: VersionRef, after: VersionRef, *, as_of: Moment = None) -> Difference:
        """What differs between two versions: metrics, params, labels, files by digest, data, code."""
        a, b = self.get(before, as_of=as_of), self.get(after, as_of=as_of)
        return difference(a, b, (self.files(a), self.files(b)))

    def lineage(
        self,
        ref: VersionRef | None = None,
        *,
        data: Any = None,
        run: str | None = None,
        commit: str | None = None,
        direction: str | None = None,
        as_of: Moment = None,
    ) -> Lineage:
        """Where a version comes from (``direction="up"``: data, code, run, parents), what came of it (``"down"``), or both.

        Instead of a version: ``data`` (a file or frame, whose digest is worked out, a URI, name, digest, ``Dataset``), a flow ``run`` by
        id or name, or a ``commit`` by its first digits. All models are asked; one that cannot be read is named in ``Lineage.unread``.
        ``NotFound`` where nothing is recorded of it.
        """
        asked = question(ref, data=data, run=run, commit=commit, direction=direction)
        return self._traces.lineage(self._inside, asked, as_of)

    def files(self, ref: VersionRef, *, as_of: Moment = None) -> dict[str, str]:
        """The files of a version: digest by path."""
        version = ref if isinstance(ref, Version) else self.get(ref, as_of=as_of)
        manifest = blobs.get_manifest(self._store, version.digest, what=version.ref)
        return {file.path: file.digest for file in manifest.files}

    def fetch(self, ref: VersionRef, into: str | os.PathLike[str], *, as_of: Moment = None, progress: Progress = no_progress) -> Path:
        """Bring a version's files into the new folder ``into``, every byte verified; the folder."""
        version = self.get(ref, as_of=as_of)
        with self._bytes_of(version):
            folder = fetch_artifact(self._store, version.digest, Path(into), ref=version.ref, progress=progress)
        note_loaded(recording.parent_of(version), self.root)
        return folder

    def load(self, ref: VersionRef, *, trust: bool = False, as_of: Moment = None) -> Any:
        """The model as an object. Its bytes are verified before any loader sees them; ``trust=True`` lets a pickle run its code."""
        version = self.get(ref, as_of=as_of)
        with self._bytes_of(version):
            model = load_artifact(self._store, version.digest, ref=version.ref, trust=trust, author=version.by.actor)
        note_loaded(recording.parent_of(version), self.root)
        return model

    def card(self, ref: VersionRef, *, as_of: Moment = None) -> str | None:
        """The text of a version's model card, where it has one."""
        version = self.get(ref, as_of=as_of)
        return None if version.card is None else blobs.get(self._store, version.card, what=f"the card of {version.ref}").decode()

    def export(self, ref: VersionRef, form: str, *, as_of: Moment = None, template: str | None = None) -> Any:
        """A version as other tools read it: ``bom`` (CycloneDX 1.6), ``provenance`` (in-toto with SLSA), ``openlineage`` (run events), as
        mappings; ``card`` (Markdown: what people wrote and what is known, in the order of ``template``) as text. None is signed.
        """
        from .standards.exporting import export

        return export(self._inside, ref, form, as_of=as_of, template=template)

    def evidence(
        self, ref: VersionRef, into: str | os.PathLike[str], *, as_of: Moment = None, with_files: bool = False
    ) -> Path:  # fmt: skip
        """Write all evidence about a version into the new folder ``into``: journals, decisions, report, and a script that checks them.

        The same state gives the same bytes. ``with_files`` puts the artifact in, too.
        """
        from .evidence.bundle import write

        return write(self._inside, ref, into, as_of=as_of, with_files=with_files)

    def reproduce(self, ref: VersionRef) -> Plan:
        """What it would take to make a version again: code, data then and now, packages, seeds, parameters. Runs nothing."""
        from .reproducing.looking import plan

        return plan(self._inside, ref)

    def make_again(
        self,
        ref: VersionRef,
        *,
        params: Mapping[str, Any] | None = None,
        here: bool = False,
        deployment: bool = False,
        tolerance: float | None = None,
        trust: bool = False,
        timeout_s: float = 24 * 3600,
        repository: str | os.PathLike[str] | None = None,
        said: Callable[[str], None] = lambda text: None,
    ) -> Verdict:
        """Run the flow that made a version, at its commit and in a new environment, and compare the version that it registers.

        That one says what it ``reproduces``, and no alias moves. ``here`` takes the packages of this process, ``deployment`` runs the
        recorded deployment instead. ``params`` are those that were not kept, ``repository`` is a clone that has the commit (else the
        working directory). ``said`` is told what is done. ``BadInput`` where the record does not suffice, ``Unavailable`` where the run
        fails.
        """
        from .reproducing.comparing import compare
        from .reproducing.looking import the_version
        from .reproducing.running import make_again

        before = the_version(self._inside, ref)
        folder = None if repository is None else Path(repository)
        made, notes = make_again(
            self._inside,
            before,
            params=params or {},
            in_place=here,
            deployment=deployment,
            timeout_s=timeout_s,
            repository=folder,
            said=said,
        )
        verdict = compare(self._inside, before, made, tolerance=tolerance, trust=trust)
        return replace(verdict, notes=(*verdict.notes, *notes))

    def compare(self, before: VersionRef, after: VersionRef, *, tolerance: float | None = None, trust: bool = False) -> Verdict:
        """Whether ``after`` is ``before`` made again: bytes, answers to the golden inputs, metrics; and which input differs first."""
        from .reproducing.comparing import compare

        return compare(self._inside, before, after, tolerance=tolerance, trust=trust)

    def inventory(self, *, alias: str = "champion", as_of: Moment = None) -> tuple[InventoryLine, ...]:
        """Every model for those who answer for them: owner, purpose, who holds ``alias``, since when, on what evidence, review by when."""
        from .inventory import inventory

        return inventory(self._inside, alias=alias, as_of=as_of)

    def slices(self, evaluation: Evaluation) -> list[dict[str, Any]]:
        """The sliced values of an evaluation: rows with ``slice``, ``metric``, ``value`` and ``n``."""
        return tables.slice_rows(self._store, evaluation.table, evaluation.ref)

    def decisions(self, ref: VersionRef, *, as_of: Moment = None) -> tuple[Decision, ...]:
        """The recorded decisions about a version, the oldest first."""
        version = self.get(ref, as_of=as_of)
        state = self._inside.state(version.model, as_of)
        return tuple(tables.read_decision(self._store, d.said.decision) for d in state.decisions if d.said.version == version.number)

    def check(self, model: str | None = None, *, read_data: bool = False) -> Report:
        """Check every file of the registry, or of one model, and name each fault. ``read_data`` reads every byte of every blob."""
        from .check import check

        self.flush()
        return check(self._store, model, read_data=read_data)

    def collect(self, *, dry_run: bool = True, grace: timedelta = timedelta(days=7), retired: bool = False) -> Collection:
        """Remove blobs that nothing refers to and that are older than ``grace``; with ``dry_run`` only say which, and why each stays.

        What interrupted uploads left goes, too, if it is older than ``grace`` and a day. With ``retired`` the files of versions that were
        retired longer ago than ``grace`` and are not on hold are dropped: their record stays, their bytes cannot be had any more.
        """
        from .collecting import collect

        return collect(self._store, self._journals, dry_run=dry_run, grace=grace, retired=retired)

    def flush(self) -> None:
        """Write the caches that wait to be written (heads, checkpoints). Happens by itself at the end of the process."""
        self._journals.caches.flush()

    # -- inside --------------------------------------------------------------------------------------------------------

    @property
    def _inside(self) -> Inside:
        return Inside(self._store, self._journals)

    @contextlib.contextmanager
    def _bytes_of(self, version: Version) -> Iterator[None]:
        if version.dropped is not None:
            refuse_dropped(self._journals, version.model, version.number)
        with told_if_dropped(self._journals, version.model, version.number):
            yield

    def _held(self, ref: VersionRef, events: Callable[[ModelState, int | None], Sequence[Event]], reason: str) -> None:
        if isinstance(ref, str) and "@" not in ref:
            self._inside.known(model_name(ref))
            model, number = ref, None
        else:
            model, number = self._inside.number(ref)
        self._journals.transact(model, lambda state, _: events(state, number), because=reason)

    def _line(self, model: str, as_of: Moment) -> ModelLine:
        try:
            line = reading.line_of_head(self._store, model) if as_of is None else None
            return line or reading.line_of(model, self._inside.state(model, as_of))
        except Corrupt as error:
            self._journals.registry.state()  # where that is damaged, it is not about this model
            return reading.line_of_broken(model, error)
