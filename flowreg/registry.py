"""The registry: what people call. Every method checks what it is given, lets the core decide, and appends or reads.

Rule 1: no rule lives here. They are in ``core.decide``, the gates in ``gates``, the loop in ``journals``, the bytes in ``storage``.
Rule 2: what is given is checked before a byte is written.
Rule 3: bytes first, then one journal entry. What is interrupted leaves blobs that nothing refers to.
Rule 4: the gates and their language are imported by the methods that judge; listing, loading and registering do without.

It is long because it is the list of all that can be asked; no method is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import reading, tables
from .artifacts import as_files, load_artifact
from .core import decide, given
from .core.codec import digest_of, encode
from .core.decision import Decision
from .core.events import Evaluated, Event, Parent, PolicyRemoved, PolicySet, Run, VersionRegistered
from .core.layout import blob_path
from .core.names import Alias, Newest, alias_name, model_name, shown
from .core.policies import PolicyRecord, RegistryState, replay_registry
from .core.state import ModelState
from .core.views import AliasMove, Difference, Evaluation, HistoryLine, ModelLine, Version, difference, evaluation_view, version_view
from .errors import BadInput, Corrupt, NotFound
from .journals import Journals, Wish
from .lineage.capture import Captured, capture
from .lineage.loaded import loaded_in_run, note_loaded
from .lineage.prefect_run import flow_run_id
from .root import default_root
from .storage import blobs
from .storage.hashing import Progress, no_progress
from .storage.incarnations import Place, Places
from .storage.local import parallel_map
from .storage.store import open_store

if TYPE_CHECKING:
    from .check import Report
    from .collecting import Collection
    from .gates import Policy

Moment = str | datetime | None
VersionRef = str | Version


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
        signature: Mapping[str, Any] | None = None,
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
        ``parents`` are references. The same ``key`` again returns the same version; a different artifact under it is ``Refused``.
        Inside a flow run the run, its code and environment are recorded, and the same bytes are the same version however often
        the run is retried; elsewhere ``run=flowreg.lineage.capture.capture()`` records the surroundings.
        ``progress`` is called with the size in bytes of each file that is stored.
        """
        name = model_name(model)
        draft = VersionRegistered(
            version=1, manifest="sha256:" + "0" * 64, loader="files", size_bytes=0, file_count=0, key=given.key(key),
            params=given.params(params), labels=given.labels(labels), data=given.datasets(data),
            signature=given.signature(signature), parents=self._parents(parents),
        )  # fmt: skip
        because, numbers, rows, measured_on = given.reason(because), given.metrics(metrics), given.slices(slices), given.dataset(on)
        text = given.card(card)
        given.storable(draft, Evaluated(version=1, metrics=numbers[0]))
        with as_files(artifact, trust=trust, loader=loader) as (path, format_name):

            def stored(place: Places) -> Wish:  # from here on bytes are written
                nonlocal draft
                seen = self._run(run, place)
                evaluation = self._evaluated(1, numbers, rows, measured_on, place, run=seen) if metrics or rows else None
                manifest, digest = blobs.put_artifact(self._store, path, loader=format_name, progress=progress, place=place)
                said: dict[str, Any] = {
                    "run": seen, "manifest": digest, "loader": format_name, "size_bytes": manifest.size_bytes,
                    "file_count": len(manifest.files), "card": None if text is None else blobs.put(self._store, text, place),
                    "key": draft.key or _key_of_run(seen, digest),
                }  # fmt: skip
                draft = draft.model_copy(update=said)
                return Wish(lambda state, _: decide.register(state, draft, evaluation), seen, asked=(draft, evaluation))

            state = self._journals.store_and_transact(name, stored, because=because)
        number = state.by_key[draft.key] if draft.key else state.newest
        return version_view(name, state, state.versions[number - 1])

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
        model, number = self._number(ref)
        checked = given.metrics(metrics), given.slices(slices), given.dataset(on)
        because, key, evaluator = given.reason(because), given.key(key), given.label_text(evaluator, "evaluator")
        draft = Evaluated(version=number)

        def stored(place: Places) -> Wish:  # from here on bytes are written
            nonlocal draft
            seen = self._run(run, place)
            draft = self._evaluated(
                number, *checked, place, run=seen, key=key, evaluator=evaluator,
                examples=None if examples is None else blobs.put_file(self._store, Path(examples), place),
            )  # fmt: skip
            return Wish(lambda state, _: decide.evaluate(state, draft), seen, asked=draft)

        state = self._journals.store_and_transact(model, stored, because=because)
        recorded = [e for e in state.versions[number - 1].evaluations if draft.key is None or e.said.key == draft.key]
        return evaluation_view(model, recorded[-1])

    def label(self, ref: VersionRef, labels: Mapping[str, str | None], *, because: str | None = None) -> Version:
        """Set labels of a version; a value of None takes one away."""
        wanted, reason = given.label_changes(labels), given.reason(because)
        return self._about(ref, lambda state, number, _: decide.label(state, number, wanted), reason)

    def retire(self, ref: VersionRef, *, because: str) -> Version:
        """Bar a version from every alias. Its bytes stay."""
        reason = given.required_reason(because, "retiring a version")
        return self._about(ref, lambda state, number, model: decide.retire(state, number, model=model), reason)

    def hold(self, ref: VersionRef, *, because: str) -> None:
        """A legal hold on a version, or with a bare name on a whole model: no retiring, no byte is removed, until ``release``."""
        self._held(ref, decide.hold, given.required_reason(because, "a hold"))

    def release(self, ref: VersionRef, *, because: str) -> None:
        """Lift a hold."""
        self._held(ref, decide.release, given.required_reason(because, "releasing a hold"))

    def restore(self, ref: VersionRef, *, because: str) -> Version:
        """Lift the bar of ``retire``."""
        reason = given.required_reason(because, "restoring a version")
        return self._about(ref, lambda state, number, _: decide.restore(state, number), reason)

    # -- aliases and their gates ---------------------------------------------------------------------------------------

    def judge(self, ref: VersionRef, *, to: str) -> Decision:
        """What the gates say about moving the alias ``to`` to this version. A dry run: nothing is recorded.

        Raises ``NotFound`` where no policy protects the alias.
        """
        from . import judging

        (model, number), alias = self._number(ref), alias_name(to)
        policy = self._journals.registry.state().in_force(model, alias)
        if policy is None:
            raise NotFound(f"no policy protects {alias} of {model}", do="put one in force: flowreg policy set FILE", code="no-policy")
        state = self._journals.of(model).state()
        return judging.judged(self._store, model, state, number, policy, by=self._journals.by(None))

    def promote(self, ref: VersionRef, *, to: str, because: str | None = None, override: str | None = None, run: Any = None) -> AliasMove:
        """Move the alias ``to`` to this version if its gates pass; the decision is recorded either way.

        Without a policy the alias simply moves. Raises ``GateBlocked`` with a sentence for each gate that stands in the way,
        ``Conflict`` where the holder changed meanwhile. ``override`` is a reason to go over the gates, where the policy allows
        this actor to.
        """
        from . import judging

        alias, over, reason = alias_name(to), given.reason(override), given.reason(because)
        (model, number), seen = self._number(ref), self._run(run)
        self._journals.of(model).state()  # a holder who changed before this call is no conflict
        promotion = judging.Promotion(self._store, model, number, alias, by=self._journals.by(seen), override=over)
        self._journals.registry.state()  # whatever policy was acknowledged before this call counts
        state = self._journals.transact(model, promotion.events, because=over or reason, run=seen)
        if promotion.decision is not None and not promotion.decision.override:
            decide.refuse_blocked(promotion.decision, judging.blocked_message(promotion.decision))
        return self._moved(model, state, alias, promotion.decision)

    def rollback(self, ref: str, *, because: str, to: VersionRef | int | None = None, run: Any = None) -> AliasMove:
        """Move an alias back to the holder that led to the present one, or to the earlier holder ``to``.

        ``ref`` is ``churn@champion``, or ``churn@champion~2`` for two steps. The bytes of the target are verified first.
        """
        reason, (model, alias, back) = given.required_reason(because, "a rollback"), reading.as_alias(ref)
        number = self._target(model, to) if to is not None else self._number(ref)[1] if back else None
        seen = self._run(run)

        def events(state: ModelState) -> Sequence[Event]:
            move = decide.rollback(state, alias, number, model=model)
            target = decide.holder_after(state, move)
            blobs.verify_artifact(self._store, target.manifest, what=f"{model}@{target.number}")
            return [move]

        state = self._append(model, events, reason, seen, asked=("rollback", alias, back, to and number))
        return self._moved(model, state, alias, None)

    def remove_alias(self, ref: str, *, because: str | None = None) -> None:
        """Take an alias that no policy protects away: nobody holds it then."""
        model, alias, _ = reading.as_alias(ref)
        self._journals.registry.state()
        self._journals.transact(
            model,
            lambda state, policies: decide.remove_alias(state, alias, model=model, policy=policies.in_force(model, alias)),
            because=given.reason(because),
        )

    # -- policies ------------------------------------------------------------------------------------------------------

    def set_policy(self, policy: Policy, *, because: str | None = None) -> PolicyRecord:
        """Put a policy in force: the alias it names is protected from now on. The same text again changes nothing."""
        if not hasattr(policy, "to_json"):
            raise BadInput(f"{shown(policy)} is not a policy", do="give Policy.load(path) or Policy.parse(text)", code="bad-policy")
        text = policy.to_json()
        event = PolicySet(
            name=policy.policy, models=tuple(policy.models), alias=policy.alias, digest=digest_of(encode(text)), policy=text
        )  # fmt: skip

        def events(state: RegistryState) -> Sequence[Event]:
            now = state.named(event.name)
            return [] if now and now.digest == event.digest else [event]

        self._journals.created()
        after = self._journals.transact_registry(events, because=given.reason(because))
        self._journals.fence_all(after, event.models)
        return reading.policy_named(after, event.name)

    def remove_policy(self, name: str, *, because: str) -> None:
        """Take a policy out of force; what it protected may be moved by anybody then."""
        reason = given.required_reason(because, "removing a policy")

        def events(state: RegistryState) -> Sequence[Event]:
            return [PolicyRemoved(name=reading.policy_named(state, name).name)]

        self._journals.created()
        after = self._journals.transact_registry(events, because=reason)
        self._journals.fence_all(after, next(p.models for p in reversed(after.policies) if p.name == name))

    def policies(self, *, as_of: Moment = None) -> tuple[PolicyRecord, ...]:
        """The policies in force, by name."""
        journal = self._journals.registry
        state = journal.state()
        if as_of is not None:
            state = replay_registry(reading.until(journal.slots(), reading.moment(as_of)))
        return tuple(sorted((p for p in state.policies if p.until is None), key=lambda p: p.name))

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self, ref: VersionRef, *, as_of: Moment = None) -> Version:
        """The version that ``ref`` names now, or named at the moment ``as_of`` (a ``datetime`` or RFC 3339 text)."""
        parsed = reading.as_ref(ref)
        state = self._state(parsed.model, as_of)
        return version_view(parsed.model, state, decide.resolve(state, parsed))

    def versions(self, model: str, *, as_of: Moment = None) -> tuple[Version, ...]:
        """All versions of a model, the oldest first."""
        state = self._known(model_name(model), as_of)
        return tuple(version_view(model, state, version) for version in state.versions)

    def models(self, *, as_of: Moment = None) -> tuple[ModelLine, ...]:
        """Every model of the registry at a glance, by name; one whose journal is damaged says so in ``broken``."""
        lines = parallel_map(lambda name: self._line(name, as_of), reading.model_names(self._store), threads=8)
        return tuple(line for line in lines if line.newest or line.broken)

    def history(self, model: str, *, as_of: Moment = None) -> tuple[HistoryLine, ...]:
        """Everything that happened to a model, the oldest first, with who and why; slots without effect are shown with the reason."""
        self._known(model_name(model), None)
        return reading.history(self._journals.of(model).slots(), self._journals.replay, reading.moment(as_of))

    def diff(self, before: VersionRef, after: VersionRef, *, as_of: Moment = None) -> Difference:
        """What differs between two versions: metrics, params, labels, files by digest, data, code."""
        a, b = self.get(before, as_of=as_of), self.get(after, as_of=as_of)
        return difference(a, b, (self.files(a), self.files(b)))

    def files(self, ref: VersionRef, *, as_of: Moment = None) -> dict[str, str]:
        """The files of a version: digest by path."""
        version = ref if isinstance(ref, Version) else self.get(ref, as_of=as_of)
        manifest = blobs.get_manifest(self._store, version.digest, what=version.ref)
        return {file.path: file.digest for file in manifest.files}

    def fetch(self, ref: VersionRef, into: str | os.PathLike[str], *, as_of: Moment = None, progress: Progress = no_progress) -> Path:
        """Bring a version's files into the new folder ``into``, every byte verified; the folder."""
        version = self.get(ref, as_of=as_of)
        manifest = blobs.get_manifest(self._store, version.digest, what=version.ref)
        folder = blobs.get_artifact(self._store, manifest, Path(into), what=version.ref, progress=progress)
        note_loaded(_parent_of(version))
        return folder

    def load(self, ref: VersionRef, *, trust: bool = False, as_of: Moment = None) -> Any:
        """The model as an object. Its bytes are verified before any loader sees them; ``trust=True`` lets a pickle run its code."""
        version = self.get(ref, as_of=as_of)
        model = load_artifact(self._store, version.digest, ref=version.ref, trust=trust, author=version.by.actor)
        note_loaded(_parent_of(version))
        return model

    def card(self, ref: VersionRef, *, as_of: Moment = None) -> str | None:
        """The text of a version's model card, where it has one."""
        version = self.get(ref, as_of=as_of)
        return None if version.card is None else blobs.get(self._store, version.card, what=f"the card of {version.ref}").decode()

    def slices(self, evaluation: Evaluation) -> list[dict[str, Any]]:
        """The sliced values of an evaluation: rows with ``slice``, ``metric``, ``value`` and ``n``."""
        return tables.slice_rows(self._store, evaluation.table, evaluation.ref)

    def decisions(self, ref: VersionRef, *, as_of: Moment = None) -> tuple[Decision, ...]:
        """The recorded decisions about a version, the oldest first."""
        version = self.get(ref, as_of=as_of)
        state = self._state(version.model, as_of)
        return tuple(tables.read_decision(self._store, d.said.decision) for d in state.decisions if d.said.version == version.number)

    def check(self, model: str | None = None, *, read_data: bool = False) -> Report:
        """Check every file of the registry, or of one model, and name each fault. ``read_data`` reads every byte of every blob."""
        from .check import check

        self.flush()
        return check(self._store, model, read_data=read_data)

    def collect(self, *, dry_run: bool = True, grace: timedelta = timedelta(days=7)) -> Collection:
        """Remove blobs that nothing refers to and that are older than ``grace``; with ``dry_run`` only say which, and why each stays."""
        from .collecting import collect

        return collect(self._store, self._journals, dry_run=dry_run, grace=grace)

    def flush(self) -> None:
        """Write the caches that wait to be written (heads, checkpoints). Happens by itself at the end of the process."""
        self._journals.caches.flush()

    # -- inside --------------------------------------------------------------------------------------------------------

    def _append(
        self, model: str, events: Callable[[ModelState], Sequence[Event]], because: str | None, run: Run | None, *, asked: object = None
    ) -> ModelState:
        return self._journals.transact(model, lambda state, _: events(state), because=because, run=run, asked=asked)

    def _held(self, ref: VersionRef, events: Callable[[ModelState, int | None], Sequence[Event]], reason: str) -> None:
        whole = isinstance(ref, str) and "@" not in ref
        model, number = (self._existing(model_name(ref)), None) if whole else self._number(ref)
        self._append(model, lambda state: events(state, number), reason, None)

    def _existing(self, model: str) -> str:
        self._known(model, None)
        return model

    def _about(self, ref: VersionRef, events: Callable[[ModelState, int, str], Sequence[Event]], because: str | None) -> Version:
        model, number = self._number(ref)
        state = self._append(model, lambda state: events(state, number, model), because, None)
        return version_view(model, state, state.versions[number - 1])

    def _state(self, model: str, as_of: Moment) -> ModelState:
        journal = self._journals.of(model)
        state = journal.state()  # a broken chain is not read backwards either
        return state if as_of is None else self._journals.replay(list(reading.until(journal.slots(), reading.moment(as_of))))

    def _known(self, model: str, as_of: Moment) -> ModelState:
        state = self._state(model, as_of)
        if not state.newest and not state.voids:  # one with nothing but a fence was about to be born
            raise NotFound(f"there is no model {model!r}", where=self.root, do="see flowreg ls", code="no-model")
        return state

    def _number(self, ref: VersionRef) -> tuple[str, int]:
        """The model and number behind a reference. What moves is read fresh; what is fixed only if it is not known yet."""
        parsed = reading.as_ref(ref)
        journal = self._journals.of(parsed.model)
        state = journal.state(fresh=isinstance(parsed.selector, Alias | Newest))
        try:
            return parsed.model, decide.resolve(state, parsed).number
        except NotFound:
            return parsed.model, decide.resolve(journal.state(), parsed).number

    def _target(self, model: str, to: VersionRef | int) -> int:
        named, number = self._number(f"{model}@{to}" if isinstance(to, int) else to)
        if named != model:
            raise BadInput(
                f"{named}@{number} is no version of {model}", where="nothing was written", do=f"give one of {model}", code="bad-reference"
            )
        return number

    def _line(self, model: str, as_of: Moment) -> ModelLine:
        try:
            line = reading.line_of_head(self._store, model) if as_of is None else None
            return line or reading.line_of(model, self._state(model, as_of))
        except Corrupt as error:
            self._journals.registry.state()  # where that is damaged, it is not about this model
            return reading.line_of_broken(model, error)

    def _parents(self, named: Iterable[Any]) -> tuple[Parent, ...]:
        """The parents that were named and those that this flow run has loaded, each once."""
        listed = (ref if isinstance(ref, Parent) else _parent_of(self.get(ref)) for ref in given.several(named, "parents"))
        return tuple(dict.fromkeys([*listed, *loaded_in_run()]))

    def _evaluated(
        self, number: int, metrics: tuple[dict[str, float], int | None], rows: list[dict[str, Any]], on: Any, place: Place, **more: Any
    ) -> Evaluated:
        table = blobs.put(self._store, encode({"rows": rows}), place) if rows else None
        numbers, n = metrics
        draft = Evaluated(
            version=number, dataset=on.name, dataset_digest=on.digest, metrics=numbers, table=table,
            n=n if n is not None else on.rows, **more,
        )  # fmt: skip
        if draft.key is None and draft.run and draft.run.flow_run:
            said = draft.model_dump(exclude={"run", "key", "version"}, exclude_none=True)
            draft = draft.model_copy(update={"key": f"run:{draft.run.flow_run}:{digest_of(encode(said))}"})
        return draft

    def _moved(self, model: str, state: ModelState, alias: str, decision: Decision | None) -> AliasMove:
        last, holder = state.aliases[alias].moves[-1], state.holder(alias)
        assert holder is not None, "a promotion or rollback has just given it a holder"
        return AliasMove(model, alias, version_view(model, state, holder), last.said.base, last.said.how, decision, last.stamp.because)

    def _run(self, run: Any, place: Place = blob_path) -> Run | None:
        """The run as recorded: the one given, else the flow run that this is called in. Its list of packages becomes a blob."""
        self._journals.by(None)  # an actor who cannot be recorded is refused before a byte is written
        run = capture() if run is None and flow_run_id() else run
        if run is None or isinstance(run, Run):
            return run
        if not isinstance(run, Captured):
            raise BadInput(f"run is {shown(run)}", where="nothing was written", do="give what flowreg.lineage.capture.capture() returns")
        seen = run.run
        if run.packages is None or seen.environment is None:
            return seen
        environment = seen.environment.model_copy(update={"packages": blobs.put(self._store, run.packages, place)})
        return seen.model_copy(update={"environment": environment})


def _parent_of(version: Version) -> Parent:
    return Parent(model=version.model, version=version.number, manifest=version.digest)


def _key_of_run(run: Run | None, digest: str) -> str | None:
    """Inside a flow run the same bytes are the same version: a resumed or retried run has new task run ids, but keeps this."""
    return f"run:{run.flow_run}:{digest}" if run and run.flow_run else None
