"""What happens round each verb: which root, which errors, which exit code.

Rule 1: the module of a verb is imported when it is run or explained, not before.
Rule 2: an error of flowreg is printed as what / where / do and becomes an exit code; it never shows a traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from cyclopts import App, CycloptsError, Group, Parameter

from ..version import VERSION
from .errors import failed, misused
from .here import Here
from .options import Root, StorageOptions, Typed
from .paint import ReaderGone, Screen, standard_screens
from .verbs import PEOPLE_VERBS, POLICY_VERBS, VERBS, Verb

ABOUT = "A model registry that is only files: register, gate, promote and trace models."
START = """\
A reference is churn@4, churn@champion, churn@champion~1 (the holder before), churn@newest or churn@sha256:9f2c41.
Anywhere: --root URL, the registry; --storage-option NAME=VALUE, for its filesystem.
Exit codes: 0 done, 1 unexpected, 2 usage, 3 not found, 4 blocked, waiting or refused, 5 conflict, 6 corrupt, 7 unavailable."""


def run(argv: Sequence[str], *, here: Here | None = None) -> int:
    """Run the command that ``argv`` says; its exit code. ``here`` is the terminal and the moment, of this process unless given."""
    try:
        return _run(argv, here or Here(*standard_screens()))
    except ReaderGone as error:
        return error.silence()


def _run(argv: Sequence[str], here: Here) -> int:
    as_json = "--json" in argv
    try:
        return _launch(argv, here)
    except CycloptsError as error:
        return failed(misused(error), here.err, as_json=as_json)
    except KeyboardInterrupt:
        here.err.write("interrupted\n")
        return 130
    except ReaderGone:
        raise
    except Exception as error:
        return failed(error, here.err, as_json=as_json)


def _launch(argv: Sequence[str], here: Here) -> int:
    app = _app(here.out)
    app.meta.suppress_keyboard_interrupt = False

    @app.meta.default
    def launch(*typed: Typed, root: Root = None, storage_option: StorageOptions = ()) -> Any:
        command, bound, unparsed = app.parse_args(typed, exit_on_error=False, print_error=False)
        if "here" in unparsed:
            bound.arguments["here"] = here.at(root, storage_option)
        return command(*bound.args, **bound.kwargs)

    return app.meta(list(argv), exit_on_error=False, print_error=False, result_action="return_value") or 0


def _app(out: Screen) -> App:
    app = App(
        name="flowreg",
        help=ABOUT,
        help_epilogue=START,
        help_format="plaintext",
        help_formatter=None if out.terminal else PlainHelp(),
        version=VERSION,
        default_parameter=Parameter(negative="", show_default=False),
        suppress_keyboard_interrupt=False,
    )
    groups = {title: Group(title, sort_key=place) for place, title in enumerate(VERBS)}
    for title, verbs in VERBS.items():
        _add(app, verbs, groups[title])
    policy = App(
        name="policy",
        help="Look after the policies: the gates that protect aliases.",
        group=groups["Look after"],
        help_epilogue="Example: flowreg policy check policies/churn.yaml",
    )
    _add(policy, POLICY_VERBS, Group("Verbs"))
    app.command(policy)
    people = App(
        name="people",
        help="Look after the groups of people that approval gates ask.",
        group=groups["Look after"],
        help_epilogue="Example: flowreg people set --group model-risk=ana,bo",
    )
    _add(people, PEOPLE_VERBS, Group("Verbs"))
    app.command(people)
    always = Group("Always", sort_key=len(VERBS))
    for flag in ("--help", "--version"):
        app[flag].group = always
    return app


class PlainHelp:
    """The help without boxes, for a pipe; imported when it is asked for."""

    def __call__(self, console: Any, options: Any, panel: Any) -> None:
        self._formatter(console, options, panel)

    def render_usage(self, console: Any, options: Any, usage: Any) -> None:
        self._formatter.render_usage(console, options, usage)

    def render_description(self, console: Any, options: Any, description: Any) -> None:
        self._formatter.render_description(console, options, description)

    @cached_property
    def _formatter(self) -> Any:
        from cyclopts.help.formatters import PlainFormatter

        return PlainFormatter()


def _add(app: App, verbs: Sequence[Verb], group: Group) -> None:
    for place, verb in enumerate(verbs):
        epilogue = f"Example: {verb.example}"
        app.command(f"flowreg.cli.{verb.function}", name=verb.name, help=verb.help, group=group, sort_key=place, help_epilogue=epilogue)
