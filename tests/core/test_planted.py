"""Each law is worth something: with a bug planted in the code, hypothesis finds the case that breaks it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import Phase, settings

from flowreg.core import aliases, codec, decide, names, replaying, state
from tests.core import test_laws as laws


def _forgets_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay that does not take over the used keys of the state it starts from."""
    whole = replaying._Fold.__init__

    def forgetful(fold: replaying._Fold, *given: object) -> None:
        whole(fold, *given)  # type: ignore[arg-type]
        fold.by_key = {}

    monkeypatch.setattr(replaying._Fold, "__init__", forgetful)


def _counts_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an entry said before it broke a rule is not taken back."""
    monkeypatch.setattr(replaying, "reversed", lambda undo: (), raising=False)


def _trusts_promotions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A promotion counts whatever its decision was about."""
    monkeypatch.setattr(aliases, "_why_no_promotion", lambda *given: None)


def _forgets_generations(monkeypatch: pytest.MonkeyPatch) -> None:
    """An alias that moved away and back looks as if it had never moved."""
    monkeypatch.setattr(aliases.AliasState, "generation", property(lambda alias: 0))


def _retires_holders(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that retires a version which holds an alias; readers find that void."""
    monkeypatch.setattr(state.ModelState, "held_by", lambda model, number: ())


def _writes_numbers_as_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_number", repr)


def _sorts_by_code_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_utf16", str)


def _reads_long_numbers_as_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_with_doubles", lambda value, depth: value)


def _takes_any_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    import orjson

    from flowreg.errors import BadInput

    def lenient(raw: bytes, **_: object) -> object:
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise BadInput(str(error)) from None

    monkeypatch.setattr(codec, "decode", lenient)


def _drops_the_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names.Alias, "__str__", lambda alias: alias.name)


def _reads_leading_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_SELECTOR", re.compile(names._SELECTOR.pattern.replace("[1-9][0-9]{0,8}", "[0-9]{1,9}")))


def _labels_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that says again what stands already."""
    from flowreg.core.events import Labelled

    monkeypatch.setattr(decide, "label", lambda state, number, labels: [Labelled(version=number, labels=dict(labels))])


def _leaves_the_trail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "trail_after", lambda before, event: before.trail)


def _forgets_barred_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay that does not take over the barred bytes of the state it starts from."""
    whole = replaying._Fold.__init__

    def forgetful(fold: replaying._Fold, *given: object) -> None:
        whole(fold, *given)  # type: ignore[arg-type]
        fold.retired_bytes = {}

    monkeypatch.setattr(replaying._Fold, "__init__", forgetful)


def _believes_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """An approval counts whatever it was about."""

    def gullible(fold: replaying._Fold, event: Any, stamp: Any, entry: Any) -> None:
        fold.approvals.append(state.ApprovalState(event, stamp))
        fold.undo.append(fold.approvals.pop)

    monkeypatch.setattr(replaying._Fold, "_approve", gullible)


def _never_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = aliases._why_no_promotion
    monkeypatch.setattr(aliases, "_why_no_promotion", lambda event, before, policy, decided, at: whole(event, before, policy, decided, ""))


PLANTED = [
    (_forgets_barred_bytes, laws.test_replaying_in_two_parts_is_replaying_at_once),
    (_believes_every_word, laws.test_no_hostile_slot_changes_anything),
    (_never_expires, laws.test_no_hostile_slot_changes_anything),
    (_forgets_keys, laws.test_replaying_in_two_parts_is_replaying_at_once),
    (_counts_half, laws.test_no_hostile_slot_changes_anything),
    (_trusts_promotions, laws.test_no_hostile_slot_changes_anything),
    (_forgets_generations, laws.test_a_stale_decision_is_refused_and_never_half_written),
    (_retires_holders, laws.test_what_decide_decides_has_effect_and_what_is_hostile_has_none),
    (_writes_numbers_as_python, laws.test_what_was_encoded_decodes_to_itself_and_is_canonical),
    (_sorts_by_code_point, laws.test_what_was_encoded_decodes_to_itself_and_is_canonical),
    (_reads_long_numbers_as_integers, laws.test_what_was_encoded_decodes_to_itself_and_is_canonical),
    (_takes_any_spelling, laws.test_any_bytes_are_canonical_or_refused),
    (_drops_the_steps_back, laws.test_what_a_reference_says_is_read_again),
    (_reads_leading_zeros, laws.test_a_reference_that_parses_is_spelled_as_it_was),
    (_labels_twice, laws.test_the_same_request_again_writes_nothing),
    (_leaves_the_trail, laws.test_a_rollback_walks_the_trail),
]


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    with monkeypatch.context() as patches:
        yield patches


@pytest.mark.parametrize(("bug", "law"), PLANTED, ids=[f"{bug.__name__[1:]}-{n}" for n, (bug, _) in enumerate(PLANTED)])
def test_a_planted_bug_is_found(bug: Callable[[pytest.MonkeyPatch], None], law: Callable[[], None], planted: pytest.MonkeyPatch) -> None:
    """Hypothesis finds a case in which the law does not hold."""
    bug(planted)
    used = law._hypothesis_internal_use_settings  # type: ignore[attr-defined]
    searching = settings(used, max_examples=1000, phases=[Phase.generate], database=None, report_multiple_bugs=False)
    planted.setattr(law, "_hypothesis_internal_use_settings", searching)

    with pytest.raises(BaseException) as found:
        law()

    assert not isinstance(found.value, KeyboardInterrupt | SystemExit | NameError | TypeError | AttributeError)
