"""A champion and those who want its place, told in seven scenes on real flights: ``python -m flows.at_the_gate``.

A challenger that is better on average and worse at one airport is blocked, and the airport is named; a smaller model that is not
worse waits for a second person, and gets through; it is rolled back; and the retraining that brings the same bytes back is
refused. Every scene is a flow run or a command, as it would be at work; nothing here knows what the gates will say.
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.demo import FOLDER, free_folder, root_given, use_embedded_prefect

MODEL = "arrivals"
POLICY = Path(__file__).parent / "policies" / "arrivals.yaml"
FEWER = {"before": "2013-04", "trees": 54}


def main(argv: Sequence[str] | None = None) -> None:
    options = _options(argv)
    if not options.own_prefect:
        use_embedded_prefect(FOLDER / "prefect")
    root = options.root or free_folder(FOLDER / "at-the-gate")
    print(f"The registry: {root}\nPrefect starts its embedded server; the first time that takes half a minute.", flush=True)
    scenes(root)


def scenes(root: str) -> None:
    """All that happens, in order."""
    _scene("The first champion, trained on the winter, before anybody wrote a policy")
    _retrain(root, before="2013-04", trees=80)
    _command(root, "people", "set", "--group", "desk=ana,bo")
    _command(root, "policy", "set", os.path.relpath(POLICY), "--because", "from here on: one holdout, no airport pays, four eyes")

    _scene("A challenger of the spring, whose data lost an airport on the way: better on average")
    _retrain(root, before="2013-06", trees=80, without="LGA")

    _scene("Two thirds of the size, and not worse")
    _retrain(root, **FEWER)

    _scene("Ana, who has not trained it, says yes")
    _command(root, "approve", f"{MODEL}@3", "--to", "champion", "--because", "the desk has looked at it for a day", actor="ana")
    _command(root, "promote", f"{MODEL}@3", "--to", "champion")

    _scene("The desk calls")
    _command(root, "rollback", f"{MODEL}@champion", "--because", "delays that nobody was told of")

    _scene("Tonight's retraining brings the same bytes back")
    _retrain(root, **FEWER)

    _scene("What stands in the records")
    _command(root, "gates", f"{MODEL}@2", "--recorded")
    _command(root, "history", MODEL, "--last", "0")


def _scene(title: str) -> None:
    print(f"\n── {title}", flush=True)


def _retrain(root: str, **parameters: Any) -> None:
    """One run of the flow; a challenger that is refused fails its run, and the message is what people see of it in Prefect."""
    from flowreg import GateBlocked, Refused
    from flows.arrivals import arrivals

    try:
        move = arrivals(registry=root, **parameters)
    except (GateBlocked, Refused) as refused:
        print(refused)
    else:
        print(f"{move.version.ref} is {move.alias}")


def _command(root: str, *command: str, actor: str | None = None) -> None:
    """What is typed, and what it answers."""
    from flowreg.cli.app import run

    print(f"$ {f'FLOWREG_ACTOR={actor} ' if actor else ''}flowreg {shlex.join(command)}", flush=True)
    with _acting(actor):
        run([*command, "--root", root])


@contextmanager
def _acting(actor: str | None) -> Iterator[None]:
    before = os.environ.get("FLOWREG_ACTOR")
    if actor:
        os.environ["FLOWREG_ACTOR"] = actor
    try:
        yield
    finally:
        os.environ.pop("FLOWREG_ACTOR", None)
        if before is not None:
            os.environ["FLOWREG_ACTOR"] = before


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m flows.at_the_gate", description="A policy at work: blocked, asked, promoted, rolled back."
    )
    parser.add_argument("--root", type=root_given, help="folder or URL of the registry (default: a new one in ./flowreg-demo)")
    parser.add_argument("--own-prefect", action="store_true", help="use the Prefect that you have, instead of an embedded one")
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
