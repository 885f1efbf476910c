"""Each rule of the judge is needed: with any one of them taken out, some decision of the table comes out differently.

A rule is an ``if`` (taken out: it never holds), a ``raise`` (taken out: it goes on), or a part of an ``and``, of an ``or`` or of a tuple
that is compared (taken out: it is not looked at). Each is taken out of the running code in turn, and all the decisions are made again.
"""

from __future__ import annotations
import __future__

import ast
import copy
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from types import FunctionType
from typing import Any

import pytest

from flowreg.core import signature
from flowreg.errors import BadInput
from flowreg.gates import any_of, approval, drift, expression, gate, metadata, python, reading, scan, schema
from flowreg.gates.facts import Answer, Content, Drifted, PickleSeen

from . import every_kind as kinds
from .conftest import BB, Bench

judge = import_module("flowreg.gates.judge")  # its name in the package is the function's
RULES: list[tuple[Any, str]] = [
    (reading, "sources_of"), (reading, "_check_enough"), (reading, "_check_decision"), (reading, "_check_pair"), (reading, "read_metric"),
    (reading, "read_plain"), (expression.Expr, "judge"), (expression.Expr, "_values"), (expression.Expr, "_every_slice"),
    (expression.Expr, "_no_holder"), (judge, "outcome_of"), (judge, "judge"), (gate, "result_of"), (gate.Gate, "nobody_holds"),
    (any_of, "_together"),
    (any_of.AnyOf, "judge"), (metadata.Metadata, "judge"),
    (approval.Approval, "judge"), (approval.Approval, "_asked"), (approval.Approval, "_is_fresh"), (approval, "is_about_this"),
    (drift.Drift, "judge"), (drift.Drift, "_newest"), (schema.Schema, "judge"), (schema, "_signature"), (signature, "_narrowed"),
    (signature, "takes"), (scan.Scan, "judge"), (scan.Scan, "_contents"), (scan.Scan, "_against"), (scan.Scan, "_against_pickle"),
    (scan.Scan, "_heard"), (python.PyGate, "judge"),
]  # fmt: skip
OK = [kinds.word("ben", True, 1), kinds.word("eva", True, 2)]
WEEK = 7 * 86400
INPUT = {"name": "a", "type": "int64"}


def signed(*inputs: dict[str, Any]) -> dict[str, Any]:
    return {"paths": {"signature": {"inputs": [{"name": "a", "type": "int64"} | one for one in inputs]}}}


def decisions() -> Iterator[Any]:
    """The table: what comes out of each case, in what words, and about which data and holder."""
    for case in CASES:
        decision = case()
        said = [(result.status, result.sentence) for result in decision.results]
        yield decision.outcome, said, decision.dataset, decision.dataset_digest, decision.base


def on(gates: Any, candidate: Any = None, holder: Any = "same", **more: Any) -> Callable[[], Any]:
    """A case: churn@7 with these facts against churn@5."""
    facts = more.pop("facts", {})
    mine = Bench.subject(7, {"auc": 0.9, "f1": 0.6}, **(candidate or {}))
    theirs = Bench.subject(5, {"auc": 0.9, "f1": 0.6}, **(candidate or {} if holder == "same" else holder or {}))
    return lambda: Bench.decide(gates, mine, None if holder is None else theirs, facts=facts, **more)


def asked(gate: dict[str, Any], said: list[Any], **facts: Any) -> Callable[[], Any]:
    return on({"check": "approval", **gate}, facts={"approvals": said, "people": kinds.PEOPLE, **facts})


def scanned(content: Content | None, **gate: Any) -> Callable[[], Any]:
    return on({"check": "scan", **gate}, {"contents": lambda scanner: () if content is None else (content,)})


def drifted(psi: dict[str, float], window: int = WEEK) -> Callable[[], Any]:
    return on({"check": "drift", "window": "7d", "max_features": 1}, {"drifted": (Drifted(window, psi),)})


def answered(answer: Any) -> Callable[[], Any]:
    return on(kinds.GATES["python"], facts={"call": kinds.asking(answer)})


def broken(scanner: str | None) -> Any:
    raise BadInput("no scanner", do="install it")


def compared(expr: Any, mine: list[Any], theirs: list[Any] | None = None, **head: Any) -> Callable[[], Any]:
    """A case: an expression over these measurements of churn@7 and of churn@5."""
    sides = [Bench.subject(7, mine), None if theirs is None else Bench.subject(5, theirs)]
    return lambda: Bench.decide(expr, *sides, **head)


M = Bench.measured
TWO = {"by": ["risk"], "count": 2}
SCAN = {"pickle": "scan"}
CASES: list[Callable[[], Any]] = [
    compared("auc > champion.auc", [M("auc", 0.9)], [M("auc", 0.8, digest=BB)]), compared("auc > champion.auc", [M("auc", 0.9)], []),
    compared("auc > champion.auc", [M("auc", 0.9)], [M("auc", 0.8, digest=None)]), compared("auc > 0.5", [M("auc", 0.9, on="other")]),
    compared("auc > champion.auc", [M("auc", 0.9, on=None)], [M("auc", 0.8, on=None)], dataset=None),
    compared("auc > champion.auc", [M("auc", 0.9, order=1), M("auc", 0.7, digest=BB, order=2)], [M("auc", 0.8)]),
    compared(["auc > 0.5", "f1 > 0.5"], [M("auc", 0.9, order=1), M("f1", 0.9, digest=BB, order=2)]),
    compared("auc > f1", [M("auc", 0.9, order=1), M("f1", 0.8, digest=BB, order=2)], dataset=None),
    compared("auc > f1", [M("auc", 0.9, on=None, order=1), M("f1", 0.8, on=None, order=2)], dataset=None),
    compared("auc > f1", [M("auc", 0.9, on=None), M("f1", 0.8, on=None)], dataset=None),
    compared("auc[dataset=stress] > auc - 0.2", [M("auc", 0.9), M("auc", 0.8, on="stress", digest=BB)]),
    compared("auc[dataset=stress] > auc - 0.2", [M("auc", 0.9), M("auc", 0.8, on="stress")]),
    compared("auc[dataset=holdout] > auc - 0.2", [M("auc", 0.9)], dataset=None), compared("auc > v5.auc", [M("auc", 0.9)]),
    compared("auc > champion.auc", [M("auc", 0.9)], [M("auc", 0.8, order=1), M("auc", 0.95, digest=BB, order=2)]),
    compared("auc[dataset=holdout] > champion.auc", [M("auc", 0.9)], [M("auc", 0.8)]),
    compared("auc > champion.auc[dataset=stress]", [M("auc", 0.9)], [M("auc", 0.8, on="stress")]),
    compared("auc > f1", [M("auc", 0.9, on="a", order=1), M("f1", 0.8, on="b", order=2)], dataset=None),
    compared("auc[dataset=holdout] > f1", [M("auc", 0.9, order=2), M("f1", 0.8, digest=BB, order=1)]),
    compared("auc[dataset=holdout] > f1", [M("auc", 0.9, order=1), M("f1", 0.8, digest=BB, order=2)], dataset=None),
    compared("artifact.size < 5", []), compared("nosuch > 1", [M("auc", 0.9)]), compared("champion.auc > auc", [M("auc", 0)]),
    compared("champion.auc > auc", [M("champion.auc", 1), M("auc", 0)]),
    compared({"expr": "auc[r=n] > 0.5", "min_n": 9}, [M("auc", 0.9, n=8, r="n")]),
    *(compared({"expr": "auc > 0.5", "min_n": 9}, [M("auc", 0.9, n=n)]) for n in (9, 8, None)),
    *(compared({"expr": "auc[r=*] > 0.5", "slices_min": 2}, [M("auc", value, r=at) for at, value in by.items()]) for by in (
        {"n": 0.9, "s": 0.8}, {"n": 0.9, "s": 0.4}, {"n": 0.9}, {"n": 0.3, "s": 0.4}, {"n": 0.9, "s": float("nan")})),
    compared("auc[r=*] > 0.5", [M("auc", 0.9)]), compared("auc[r=*] > 0.5", [M("auc", 0.9, r="n"), M("f1", 0.9, r="s")]),
    *(compared(["auc[r=*] > champion.auc[r=*]", "auc > 0.1"], [M("auc", 0.9), M("auc", value, r="n")], no_baseline="skip") for value in (
        0.9, float("nan"))),
    compared(["auc > champion.auc", "f1 > 0.1"], [M("f1", 0.9)], no_baseline="skip"),
    *(on(gates) for gates in ("auc >= 0.5", "auc >= 0.95", ["auc >= 0.5", {"expr": "auc >= 0.95", "severity": "warn"}])),
    *(on(["auc >= champion.auc"], holder=None, no_baseline=leave) for leave in ("fail", "skip")),
    on([{"expr": "auc >= champion.auc", "no_baseline": "skip"}, "auc >= 0.5"], holder=None),
    on([{"check": "approval", "by": ["risk"]}, "auc >= 0.95"]),
    *(on({"any_of": pair}) for pair in (["auc > 1", "f1 > 0.5"], ["auc > 1", "mae > 1"], ["mae > 1", "auc > 1"], ["auc > 1", "f1 > 1"])),
    on([{"any_of": ["auc > champion.auc", "f1 > champion.f1"], "no_baseline": "skip"}, "auc > 0.5"], holder=None),
    on({"any_of": ["auc > 1", {"check": "approval", "by": ["risk"]}]}),
    on([{"any_of": ["auc > champion.auc", "f1 > champion.f1"]}, "auc > 0.5"], holder=None, no_baseline="skip"),
    *(on({"check": "metadata", "require": ["owner"]}, {"paths": {"owner": owner}}) for owner in ("ana", " ", None, {}, 0)),
    asked(TWO, OK), asked(TWO, OK[:1]), asked(TWO, []), asked(TWO, [*OK, kinds.word("kim", False, 3)]),
    asked(TWO, [*OK, kinds.word("eva", False, 3)]), asked(TWO, [OK[0], kinds.word("kim", True, 2)]), asked({"by": ["ben"]}, OK),
    asked(TWO | {"not_author": True}, OK), asked(TWO | {"valid_days": 14}, OK), asked(TWO, [kinds.word("ben", False, 1, reason="")]),
    asked(TWO | {"not_author": True}, OK, authors={"eva": "registered it"}), asked(TWO, OK, authors={"eva": "registered it"}),
    asked(TWO, [*OK, kinds.word("ben", False, 0, base=4)]),
    *(asked(TWO, [OK[0], replace(OK[1], **{name: value})]) for name, value in (
        ("version", 6), ("manifest", BB), ("alias", "canary"), ("base", 4), ("generation", 2), ("policy_digest", BB))),
    *(asked(TWO | {"valid_days": days}, [OK[0], replace(OK[1], at="2026-10-01T09:00:00.000Z")]) for days in (14, None)),
    drifted({"a": 0.1}), drifted({"a": 0.3}), drifted({"a": 0.3, "b": 0.4}), drifted({}), drifted({"a": 0.1}, WEEK + 1),
    drifted({"a": float("nan")}), drifted({"a": float("inf")}), on(kinds.GATES["drift"]),
    *(on(kinds.GATES["schema"], signed(mine), holder=signed(theirs)) for mine, theirs in (
        ({}, {}), ({"type": "int32"}, {}), ({"type": "float64"}, {}), ({"type": "float64"}, {"type": "int32"}), ({}, {"type": "uint64"}),
        ({}, {"type": "uint32"}), ({"type": "uint64"}, {"type": "int8"}), ({"type": "string"}, {}), ({"type": "any"}, {}),
        ({}, {"type": "string"}), ({"type": "float64"}, {"type": "float32"}), ({"type": "float32"}, {"type": "float64"}),
        ({"type": "float64"}, {"type": "string"}), ({"type": "float64"}, {"type": "uint64"}), ({"type": "uint16"}, {"type": "uint8"}),
        ({}, {"nullable": True}), ({"nullable": True}, {}), ({"nullable": True}, {"nullable": True}),
        ({"range": [0, 9]}, {}), ({"range": [None, 9]}, {}), ({"range": [0, None]}, {}), ({"range": [0, 9]}, {"range": [1, 8]}),
        ({"range": [2, 9]}, {"range": [1, 8]}), ({"range": [0, 7]}, {"range": [1, 8]}), ({"range": [1, 8]}, {"range": [1, 8]}))),
    on(kinds.GATES["schema"], signed({}, {"name": "b"}), holder=signed({})), on(kinds.GATES["schema"], signed({}), holder={}),
    on(kinds.GATES["schema"], signed({}, {"name": "b", "nullable": True}), holder=signed({})), on(kinds.GATES["schema"], {}),
    on([kinds.GATES["schema"], "auc > 0.5"], signed({}), holder=None, no_baseline="skip"),
    on([kinds.GATES["schema"], "auc > 0.5"], {"paths": {"signature": {"inputs": "?"}}}, holder=None, no_baseline="skip"),
    on({**kinds.GATES["schema"], "mode": "equal"}, signed({"type": "any"}), holder=signed({})),
    on(kinds.GATES["scan"], {"contents": broken}), scanned(Content("a\nb", "onnx"), formats=["json"]),
    scanned(Content("m", "pickle", pickles=(PickleSeen("in.zip", ("os.system",)),)), pickle="scan", formats=["onnx"]),
    scanned(None), scanned(Content("m", "onnx")), scanned(Content("m", "unknown")), scanned(Content("m", "onnx", trouble="x")),
    scanned(Content("m", "json", runs_code="x")), scanned(Content("m", "json", runs_code="x"), pickle="trust"), on(kinds.GATES["scan"]),
    scanned(Content("m", "onnx", pickles=(PickleSeen(""),))), scanned(Content("m", "zip", ("json",)), formats=["zip", "json"]),
    scanned(Content("m", "zip", ("json",)), formats=["zip"]), scanned(Content("m", "skops", ("json",)), formats=["skops"]),
    *(scanned(Content("m", "pickle", pickles=(seen,)), **gate) for seen in (
        PickleSeen("", ("numpy.dtype",)), PickleSeen("", ("os.system",)), PickleSeen(""), PickleSeen("", ("numpy.dtype",), "x"),
        PickleSeen("", ("numpy.dtype",), None, ("x",)), PickleSeen("", ("my.Own",)))
      for gate in (SCAN, {}, {"pickle": "trust"}, SCAN | {"names": ["my.Own"]})),
    *(answered(answer) for answer in (*kinds.ANSWERS, Answer(True, trouble="x"), Answer(True, 5), Answer(False), Answer(1))),  # type: ignore[arg-type]
]  # fmt: skip


class TakeOut(ast.NodeTransformer):
    """Takes the rule of this number out."""

    def __init__(self, number: int) -> None:
        self.left, self.told = number, ""

    def _is_it(self, node: ast.AST) -> bool:
        self.left -= 1
        if self.left == -1:
            self.told = f"line {getattr(node, 'lineno', 0)}: {ast.unparse(node)[:90]}"
        return self.left == -1

    def visit_If(self, node: ast.If) -> Any:
        self.generic_visit(node)
        return ast.copy_location(ast.If(ast.Constant(False), node.body, node.orelse), node) if self._is_it(node.test) else node

    def visit_Raise(self, node: ast.Raise) -> Any:
        return ast.copy_location(ast.Pass(), node) if self._is_it(node) else node

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        self.generic_visit(node)
        for place, value in enumerate(node.values):
            if self._is_it(value):
                kept = [*node.values[:place], *node.values[place + 1 :]]
                return kept[0] if len(kept) == 1 else ast.copy_location(ast.BoolOp(node.op, kept), node)
        return node

    def visit_Compare(self, node: ast.Compare) -> Any:
        both = [node.left, *node.comparators]
        if not all(isinstance(side, ast.Tuple) for side in both):
            return node
        for place in range(len(both[0].elts)):  # type: ignore[attr-defined]
            if self._is_it(node):
                for side in both:
                    del side.elts[place]  # type: ignore[attr-defined]
                return node
        return node


def mutants(owner: Any, name: str) -> Iterator[tuple[str, FunctionType]]:
    """The function with one rule taken out, for each of its rules; the last one is whole."""
    function = owner.__dict__[name]
    source = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for number in range(1000):
        taker = TakeOut(number)
        tree = ast.fix_missing_locations(taker.visit(copy.deepcopy(source)))
        room: dict[str, Any] = {}
        exec(compile(tree, f"<{name} without a rule>", "exec", flags=__future__.annotations.compiler_flag), function.__globals__, room)
        yield taker.told, room[name]
        if not taker.told:
            return


def users(owner: Any, name: str) -> list[Any]:
    """Where the function is called from: its home, and the modules that have imported it by its name."""
    modules = [module for path, module in sys.modules.items() if path.startswith(("flowreg.", "tests.gates."))]
    return [owner, *(module for module in modules if module is not owner and vars(module).get(name) is vars(owner)[name])]


@pytest.mark.parametrize(("owner", "name"), RULES, ids=[f"{owner.__name__.rpartition('.')[2]}.{name}" for owner, name in RULES])
def test_every_rule_is_needed(owner, name, monkeypatch):
    """Without any one of them the decisions are no longer the same."""
    expected, unneeded = list(decisions()), []
    for told, mutant in mutants(owner, name):
        with monkeypatch.context() as patch:
            for place in users(owner, name):
                patch.setattr(place, name, mutant)
            try:
                found = list(decisions())
            except Exception:
                continue
        if found == expected:
            unneeded.append(told)

    assert unneeded == [""], "all but the last, from which nothing was taken"
