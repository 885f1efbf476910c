"""What strangers' and newer entries do to a state."""

from __future__ import annotations

from typing import Any

import pytest

from flowreg.core import codec, decide
from flowreg.core.events import AliasMoved, By, PolicySet, RegistryCreated, Retired, Unknown
from flowreg.core.policies import replay_registry
from flowreg.core.replaying import replay
from flowreg.core.state import EMPTY
from flowreg.core.views import version_view
from tests.core.lives import MODEL, POLICIES, Life, digest, policy_set, registry_slots
from tests.core.test_laws import one_version


def test_an_unknown_kind_has_no_effect_and_is_remembered() -> None:
    """The known events beside it count; who writes next learns that a newer flowreg was here."""
    life = one_version()

    life.say(Unknown(kind="teleported", to="mars"), decide.label(life.state, 1, {"a": "b"})[0])

    assert life.state.unknown == ("teleported",)
    assert life.state.versions[0].labels == {"a": "b"}
    assert life.state.voids == ()


def test_a_newer_format_is_remembered_too() -> None:
    """Void, and a reason not to write."""
    life = one_version()

    life.put(codec.encode_entry(life.envelope([Retired(version=1)])).replace(b'"format":1', b'"format":2'))

    assert life.state.unknown == ("format",)
    assert life.state.versions[0].retired is None


def test_an_unknown_kind_in_a_void_entry_is_nobodys_business() -> None:
    """An entry counts whole or not at all, also in what it makes writers refuse."""
    life = one_version()

    life.say(Unknown(kind="teleported"), Retired(version=99))

    assert (life.state.unknown, len(life.state.voids)) == ((), 1)


def test_events_of_the_registry_mean_nothing_in_a_model() -> None:
    """A policy is set in the registry's own journal and nowhere else."""
    life = one_version()

    life.say(policy_set(models=["*"], alias="mine"), RegistryCreated(nonce="x"))
    life.say(AliasMoved(alias="mine", version=1, how="set"))

    assert life.state.holder("mine") is not None


def test_the_empty_state_stays_empty() -> None:
    """Replaying into it changes no value that others hold."""
    one_version()

    assert (EMPTY.seq, dict(EMPTY.aliases), dict(EMPTY.by_key)) == (0, {}, {})
    assert replay([]) == EMPTY


def test_a_version_retired_without_a_reason_shows_as_retired() -> None:
    """The format does not ask for a reason, so what others wrote without one must not look untouched."""
    life = one_version()
    life.say(Retired(version=1))

    assert version_view(MODEL, life.state, life.state.versions[0]).retired


HOSTILE_OVERRIDES: list[Any] = [
    "ana", ["ana"], 0, {"by": "ana"}, {"by": 5}, {"by": [5, None, ["ana"]]}, {"by": {"ana": 1}}, {"by": ["["]}, {"by": ["[z-a]"]},
]  # fmt: skip


@pytest.mark.parametrize("override", HOSTILE_OVERRIDES, ids=str)
def test_a_malformed_policy_lets_nobody_override_and_stops_no_reader(override: Any) -> None:
    """Replay never raises, whatever a stranger put in force."""
    life = Life(policies=replay_registry(registry_slots([policy_set(override=override)])), under=2)
    life.say(*one_version().slots[0].said.events)

    life.say(AliasMoved(alias="champion", version=1, how="override"), because="x")

    assert life.state.holder("champion") is None
    assert len(life.state.voids) == 1


def policies_of(*events: PolicySet) -> Any:
    return replay_registry(registry_slots(*[[event] for event in events]))


def test_the_most_specific_policy_counts() -> None:
    """The full name before a pattern, a longer matching pattern before a shorter, the later before the earlier."""
    everybody, namespace = policy_set("everybody", models=["*"]), policy_set("namespace", models=["risk/*"])
    exact, later = policy_set("exact", models=["risk/churn"]), policy_set("later", models=["risk/*"])

    def in_force(*events: PolicySet) -> str:
        return policies_of(*events).in_force(MODEL, "champion").name

    assert in_force(everybody, namespace) == in_force(namespace, everybody) == "namespace"
    assert in_force(exact, namespace, everybody) == "exact"
    assert in_force(namespace, later) == "later"


def test_only_patterns_that_match_make_a_policy_specific() -> None:
    """A long pattern for other models does not make a policy the closest to this one."""
    wide = policy_set("wide", models=["*", "some/quite/other/models/of/another/team/*"])
    close = policy_set("close", models=["risk/ch*"])

    assert policies_of(close, wide).in_force(MODEL, "champion").name == "close"


def test_a_policy_whose_digest_is_not_that_of_its_text_is_void() -> None:
    """What was put in force is what is read."""
    state = policies_of(policy_set().model_copy(update={"digest": digest(3)}))

    assert state.policies == ()
    assert "digest" in state.voids[0].reason


def test_a_registry_is_created_once() -> None:
    """A second creation, and anything before the first, is void."""
    state = replay_registry(registry_slots([RegistryCreated(nonce="again")]))

    assert (state.registry, len(state.voids)) == (POLICIES.registry, 1)


def test_old_policies_stay_answerable() -> None:
    """What protected the alias when an entry was decided is known for ever."""
    digests = [POLICIES.in_force(MODEL, "champion", under=n) and POLICIES.in_force(MODEL, "champion", under=n).digest for n in (1, 2, 3, 4)]

    assert digests[0] is digests[3] is None
    assert digests[1] != digests[2]


def test_the_actor_of_an_override_counts_and_not_who_says_so() -> None:
    """An override by somebody the policy names has effect; the same entry by another has none."""
    for actor, holder in (("ana", 1), ("ana ", None), ("eve", None)):
        life = one_version()
        life.say(AliasMoved(alias="champion", version=1, how="override"), because="x", by=By(actor=actor))

        assert (life.state.holder("champion") and life.state.holder("champion").number) == holder
