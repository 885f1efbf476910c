"""What is above and below: the relations one by one, and the laws over random families of models."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flowreg.core.events import AliasMoved, Dataset, Evaluated, Parent, Retired
from flowreg.core.state import EMPTY, ModelState
from flowreg.lineage.graph import Graph, walking
from flowreg.lineage.graph.naming import node
from flowreg.lineage.graph.said import version_key

from .histories import digest, family, manifest, parent, run, told, version

MODELS = ("a", "b", "c/d")


def key(ref: str) -> str:
    model, _, number = ref.partition("@")
    return version_key(model, int(number), manifest(model, int(number)))


def names(graph: Graph, keys: Any) -> set[str]:
    return {node(graph, each).name for each in keys}


def below(graph: Graph, start: str) -> set[str]:
    return names(graph, walking.below(graph, [start])[0]) - names(graph, [start])


def above(graph: Graph, start: str) -> set[str]:
    return names(graph, walking.above(graph, [start])[0]) - names(graph, [start])


def test_below_a_version_are_its_children_and_theirs_across_models() -> None:
    """Everything made from base@1, transitively, and the aliases that any of it held."""
    graph = Graph(family())

    assert below(graph, key("base@1")) == {"churn@1", "churn@2", "risk@1", "churn@champion", "retrain/fox-2"}


def test_above_a_version_are_data_code_runs_and_parents() -> None:
    """Of the version that was asked about also what it was measured with."""
    graph = Graph(family())

    assert above(graph, key("churn@1")) == {
        "base@1", "retrain/fox-1", "retrain/fox-2", "retrain/fox-3", "9", "3fa9c1", "3fa9c2", "retrain/nightly", "s3://lake/c.parquet",
        "holdout",
    }  # fmt: skip


def test_what_a_version_was_measured_on_made_nothing() -> None:
    """The children of a measured version are no product of the holdout, and the holdout is none of their origins."""
    graph = Graph(family())

    assert below(graph, f"dataset:{digest(8)}") == {"churn@1", "retrain/fox-3"}
    assert "holdout" not in above(graph, key("churn@2"))


def test_a_file_that_a_run_read_did_not_go_into_all_that_the_run_made() -> None:
    """Each version of a run names its own data."""
    shared = run("1")
    states = {
        "a": told("a", [[version("a", 1, data=(Dataset("x"),), run=shared)], [version("a", 2, data=(Dataset("y"),), run=shared)]]),
    }

    assert below(Graph(states), "dataset:x") == {"a@1", "retrain/fox-1"}
    assert above(Graph(states), "run:1") == {"x", "y"}


def test_a_reproduction_comes_from_what_it_reproduces() -> None:
    """And is no other kind of child."""
    graph = Graph(family())
    edges = [edge for edge in walking.below(graph, [key("churn@1")])[1] if edge.relation == "reproduced"]

    assert [(edge.source, edge.target) for edge in edges] == [(key("churn@1"), key("churn@2"))]


def test_the_same_content_is_the_same_dataset_wherever_it_lies() -> None:
    """A digest names data; without one its URI does, and then its name."""
    data = (
        Dataset("s3://a", digest=digest(1)),
        Dataset("s3://b", digest=digest(1)),
        Dataset("s3://b"),
        Dataset(name="b"),
        Dataset(role="train"),
    )
    graph = Graph({"a": told("a", [[version("a", 1, data=data)]])})
    found = [node(graph, each) for each in walking.above(graph, [key("a@1")])[0]]

    assert [(n.name, n.facts["digest"], n.facts["uris"]) for n in found[1:]] == [
        ("s3://a", digest(1), ("s3://a", "s3://b")), ("s3://b", None, ("s3://b",)), ("b", None, ()),
    ]  # fmt: skip


def test_data_to_measure_with_is_told_by_its_role() -> None:
    """A test set among the data of a registration was not trained on."""
    graph = Graph({"a": told("a", [[version("a", 1, data=(Dataset("x", role="test"), Dataset("y", role="validation")))]])})

    assert {edge.source: edge.relation for edge in walking.above(graph, [key("a@1")])[1]} == {
        "dataset:x": "measured",
        "dataset:y": "trained",
    }


def test_a_parent_of_another_registry_is_not_taken_for_ours() -> None:
    """The same number with other bytes is another version."""
    stranger = Parent(model="base", version=1, manifest=digest(99))
    graph = Graph({**family(), "x": told("x", [[version("x", 1, parents=(stranger,))]])})

    assert "x@1" not in below(graph, key("base@1"))
    (unknown,) = [n for n in (node(graph, k) for k in walking.above(graph, [key("x@1")])[0]) if n.facts.get("known") is False]
    assert unknown.name == f"base@1+{digest(99)[7:13]}"


# ---- laws ----

datasets = st.sampled_from([Dataset("s3://x"), Dataset("s3://x", digest=digest(1)), Dataset("s3://y", role="test"), Dataset(name="h")])
runs = st.builds(
    lambda number, above, commit: run(f"{number}", called_by=above, commit=commit, deployment="d" if number == 1 else None),
    st.integers(1, 3), st.sampled_from([None, "1", "2", "8"]), st.sampled_from([None, "abcd", "abce"]),
)  # fmt: skip


@st.composite
def families(draw: st.DrawFn) -> list[dict[str, ModelState]]:
    """The states of some models after each of a few steps; parents may be foreign, and runs may call each other in a circle."""
    states: dict[str, ModelState] = {}
    past = []
    for _ in range(draw(st.integers(1, 9))):
        model = draw(st.sampled_from(MODELS))
        state = states.get(model, EMPTY)
        there = [(name, number) for name, of in states.items() for number in range(1, of.newest + 1)] + [("gone", 1)]
        kind = draw(st.sampled_from(["version", "version", "evaluated", "alias", "retired"])) if state.newest else "version"
        number = draw(st.integers(1, max(1, state.newest)))
        event: Any
        match kind:
            case "version":
                parents = draw(st.lists(st.sampled_from(there), max_size=2, unique=True))
                again = draw(st.none() | st.sampled_from(there))
                event = version(
                    model, state.newest + 1, parents=tuple(parent(*p) for p in parents), reproduces=parent(*again) if again else None,
                    data=tuple(draw(st.lists(datasets, max_size=2))), run=draw(st.none() | runs),
                )  # fmt: skip
            case "evaluated":
                event = Evaluated(version=number, dataset="h", metrics={"auc": 0.9}, run=draw(st.none() | runs))
            case "alias":
                holder = state.aliases["best"].version if "best" in state.aliases else None
                if state.versions[number - 1].retired:
                    continue
                event = AliasMoved(alias="best", version=number, base=holder, how="set")
            case _:
                if state.versions[number - 1].retired or number in {a.version for a in state.aliases.values()}:
                    continue
                event = Retired(version=number)
        states = {**states, model: told(model, [[event]], state)}
        past.append(states)
    return past


@settings(max_examples=150, deadline=None)
@given(families())
def test_down_is_the_inverse_of_up(past: list[dict[str, ModelState]]) -> None:
    """b is below a exactly if a is above b, for every two nodes."""
    graph = Graph(past[-1])
    keys = {*graph.below, *graph.above, *graph.said}
    down = {a: set(walking.below(graph, [a])[0]) for a in keys}
    up = {a: set(walking.above(graph, [a])[0]) for a in keys}

    assert {(a, b) for a in keys for b in down[a]} == {(a, b) for b in keys for a in up[b]}


@settings(max_examples=100, deadline=None)
@given(families(), st.data())
def test_a_graph_that_grew_is_the_graph_made_anew(past: list[dict[str, ModelState]], data: st.DataObject) -> None:
    """Whatever steps it skipped, and whatever it was asked meanwhile."""
    grown = Graph()
    for states in past:
        if states is past[-1] or data.draw(st.booleans()):
            for model, state in states.items():
                grown.grow(model, state)
            for each in {*grown.below, *grown.above}:
                node(grown, each)
    anew = Graph(past[-1])

    assert grown.below == anew.below
    assert {k: {id_of(e) for e in v} for k, v in grown.above.items()} == {k: {id_of(e) for e in v} for k, v in anew.above.items()}
    assert {k: node(grown, k) for k in (*anew.below, *anew.above)} == {k: node(anew, k) for k in (*anew.below, *anew.above)}
    assert {k: set(v) for k, v in grown.named.items()} == {k: set(v) for k, v in anew.named.items()}


def id_of(edge: Any) -> tuple[str, str, str, str]:
    return edge.source, edge.target, edge.relation, str(edge.facts)


@settings(max_examples=50, deadline=None)
@given(families())
def test_what_is_left_out_is_forgotten(past: list[dict[str, ModelState]]) -> None:
    """Nothing of a model that cannot be read any more stays behind."""
    graph = Graph(past[-1])
    gone = min(past[-1])
    graph.leave_out([gone])

    assert graph.below == Graph({model: state for model, state in past[-1].items() if model != gone}).below


def test_a_state_that_is_not_what_came_after_starts_anew() -> None:
    """A journal that was restored from a backup and went another way."""
    graph = Graph({"a": told("a", [[version("a", 1, data=(Dataset("x"),))]])})
    graph.grow("a", told("a", [[version("a", 1, data=(Dataset("y"),))], [version("a", 2)]]))

    assert "dataset:x" not in graph.below
    assert below(graph, "dataset:y") == {"a@1"}
    graph.grow("a", told("a", [[version("a", 1, data=(Dataset("y"),))]]))  # an older state of the same
    assert "a@2" in {node(graph, k).name for k in (key("a@2"),)}


def test_a_version_that_was_named_before_its_model_was_read_becomes_known() -> None:
    """What an answer said of it then is not kept."""
    states = family()
    graph = Graph({"risk": states["risk"]})
    assert node(graph, key("churn@2")).facts["known"] is False

    graph.grow("churn", states["churn"])

    assert node(graph, key("churn@2")).facts["aliases"] == ("champion",)
