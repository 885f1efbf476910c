"""Help: every verb has it, with a line to copy that parses."""

from __future__ import annotations

import shlex

import pytest

from flowreg.cli.app import _app, run
from flowreg.cli.paint import standard_screens
from flowreg.cli.verbs import PEOPLE_VERBS, POLICY_VERBS, VERBS, Verb
from flowreg.version import VERSION

ALL = [verb for verbs in VERBS.values() for verb in verbs]


BELOW = [(("policy",), verb) for verb in POLICY_VERBS] + [(("people",), verb) for verb in PEOPLE_VERBS]


@pytest.mark.parametrize(("prefix", "verb"), [*(((), verb) for verb in ALL), *BELOW])
def test_every_verb_explains_itself(prefix: tuple[str, ...], verb: Verb, capsys: pytest.CaptureFixture[str]) -> None:
    """What it does, its options, an example, and the global root."""
    assert run([*prefix, verb.name, "--help"]) == 0

    text = " ".join(capsys.readouterr().out.split())
    assert verb.help in text
    assert " ".join(verb.example.split()) in text
    assert "--root" in text


@pytest.mark.parametrize("verb", [*ALL, *(verb for _, verb in BELOW)], ids=lambda verb: verb.example)
def test_every_example_parses(verb: Verb) -> None:
    """What is shown to be copied is what the verb takes."""
    words = shlex.split(verb.example)[1:]
    root = words.index("--root") if "--root" in words else len(words)

    command, _, _ = _app(standard_screens()[0]).parse_args(words[:root], exit_on_error=False, print_error=False)

    assert command.__name__ == verb.function.partition(":")[2]


def test_the_overview_names_every_verb_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """With no words at all the overview is shown."""
    assert run([]) == 0

    text = capsys.readouterr().out
    assert all(f"{verb.name}: {verb.help}" in text for verb in ALL)
    assert "policy: " in text
    assert "4 blocked" in text


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """``--version``"""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == VERSION
