"""The python gate: off by default; a function in a process of its own, whose every misstep is an error."""

import os
import time
from pathlib import Path

import pytest

from flowreg.gates.calling import ALLOW, ask
from flowreg.gates.facts import Answer, Call

GATE = {"check": "python", "call": "mygates:check", "args": {"service": "ranker"}}

FUNCTIONS = """
import os, subprocess, sys, time
def yes(service): return True
def no(service): return False, f"{service} has an open incident [region=*]"
def about(service, about): return about["version"] == 7 and about["metrics"] == {"auc": 0.9}, about["model"]
def none(service): return None
def one(service): return 1
def text(service): return "yes"
def pair(service): return True, 5
def three(service): return True, "a", "b"
def boom(service): raise RuntimeError("no connection")
def leave(service): sys.exit(0)
def die(service): os._exit(3)
def silent(service): os._exit(0)
def prints(service): print('{"holds": true}'); os.write(1, b'{"holds": true}'); return False
def slow(service):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open(os.path.join(os.path.dirname(__file__), "pid"), "w") as file: file.write(str(child.pid))
    time.sleep(600)
def forged(service): return {"holds": True}
"""


@pytest.fixture
def mygates(tmp_path, monkeypatch):
    """A module ``mygates`` that can be imported, and that this machine allows."""
    (tmp_path / "mygates.py").write_text(FUNCTIONS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(ALLOW, "other, mygates")


def call(function, *, timeout_s=30.0, about=None):
    return ask(Call(f"mygates:{function}", {"service": "ranker"}, timeout_s, about or {}))


def test_a_function_answers(mygates):
    """True and False, with or without a reason; the answer names the code it is from."""
    assert (call("yes").holds, call("yes").trouble) == (True, None)
    assert call("no").reason == "ranker has an open incident [region=*]"
    assert call("no").holds is False
    assert call("yes").imported.startswith("mygates, sha256:")


@pytest.mark.parametrize("function", ["none", "one", "text", "pair", "three", "boom", "leave", "die", "silent", "forged", "missing"])
def test_whatever_else_comes_of_it_is_no_answer(mygates, function):
    """Another value, an exception, an end of the process, no such function: trouble, and neither yes nor no."""
    answer = call(function)

    assert answer.holds is None
    assert answer.trouble


def test_what_a_function_prints_is_no_answer(mygates):
    """Only what it returns counts."""
    assert call("prints").holds is False


def runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.mark.timeout(60)  # where what it started is not ended, this test never is
def test_time_is_limited_for_all_that_it_started(mygates, tmp_path):
    """A function that hangs, and has started another process that does, is ended."""
    assert call("slow", timeout_s=3.0).trouble == "no answer in 3 s"

    started = int((tmp_path / "pid").read_text())
    while runs(started):
        time.sleep(0.01)


@pytest.mark.parametrize("allowed", ["", "other", "mygate", "mygates.sub"])
def test_nothing_is_imported_unless_this_machine_allows_it(mygates, monkeypatch, allowed, tmp_path):
    """Off by default and for all modules that are not named; the sentence says how to turn it on."""
    monkeypatch.setenv(ALLOW, allowed)
    (tmp_path / "mygates.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')\n")
    answer = call("yes")

    assert answer.trouble == f"python gates may not import mygates on this machine; to allow it, set {ALLOW}=mygates"
    assert not (tmp_path / "imported").exists()


def judged(bench, answer):
    return bench.decide(GATE, {"auc": 0.9}, facts={"call": lambda call: answer}).results[0]


def test_the_gate_says_what_it_asked(bench):
    """The function, the code, and its reason stand in the sentence, brackets and all."""
    found = judged(bench, Answer(False, "an incident [region=*] is open", "mygates, sha256:0123"))

    assert found.status == "fail"
    assert found.sentence == "mygates:check (mygates, sha256:0123) says no: an incident [region=*] is open"


@pytest.mark.parametrize(
    "answer", [Answer(None), Answer(None, trouble="x"), Answer(True, trouble="x"), Answer(1), Answer("yes"), Answer(True, 5)]
)
def test_only_a_plain_true_passes(bench, answer):
    """Whatever is not True or False with no trouble is an error."""
    assert judged(bench, answer).status == "error"


def test_without_a_place_to_run_it_blocks(bench):
    """Judging alone starts nothing."""
    assert bench.decide(GATE, {"auc": 0.9}).results[0].status == "error"


def test_the_function_learns_what_is_judged(bench, mygates):
    """From the policy to the process and back, with the facts it asks for."""
    decision = bench.decide({**GATE, "call": "mygates:about"}, {"auc": 0.9}, facts={"call": ask})

    assert decision.outcome == "promote"
    assert decision.results[0].sentence.endswith("says yes: churn")
