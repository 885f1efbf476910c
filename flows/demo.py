"""One command that shows the whole: ``python -m flows.demo``.

A year of retraining on real flights, in a folder of its own, with Prefect's embedded server; nothing else is needed and nothing
outside ``./flowreg-demo`` is touched. A second run starts a registry beside the first. ``--s3`` does the same on a real S3
server on this machine, ``--root`` wherever you like.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.flight_delay import Attempt

FOLDER = Path("flowreg-demo")
# Prefect says nothing but what the flows print, sends nothing anywhere, and may take its time to make its first database.
QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
}


def main(argv: Sequence[str] | None = None) -> None:
    options = _options(argv)
    use_embedded_prefect(FOLDER / "prefect")
    with an_s3_root() if options.s3 else _just(options.root or free_folder(FOLDER / "registry")) as root:
        print(f"The registry: {root}\nPrefect starts its embedded server; the first time that takes half a minute.", flush=True)
        attempts = a_year(root)
        tell(root, attempts)
        if options.s3:
            print("\nThe S3 server ends with this command, so there is nothing left to look at.")
        else:
            point_further(root, attempts)


def use_embedded_prefect(home: Path) -> None:
    """Whatever Prefect this person has is left alone: a home of its own, no server but the embedded one. Before Prefect is imported."""
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    home.mkdir(parents=True, exist_ok=True)  # Prefect makes no parents, and its server then dies again and again
    os.environ.update(QUIET, PREFECT_HOME=str(home.resolve()))


def free_folder(wanted: Path) -> str:
    """The path, or the first of ``registry-2``, ``registry-3`` … that is not there yet: a registry is never written over."""
    beside = (wanted.with_name(f"{wanted.name}-{number}") for number in count(2))
    return str((wanted if not wanted.exists() else next(path for path in beside if not path.exists())).resolve())


@contextmanager
def an_s3_root() -> Iterator[str]:
    """A bucket on a real S3 server on loopback. The credentials are in the environment, as everywhere, and nowhere else."""
    try:
        from tests.servers.seaweed import seaweed
    except ModuleNotFoundError as missing:
        sys.exit(f"--s3 starts the S3 server of the tests ({missing}): run it from the clone, after pip install -e '.[test]'")
    with seaweed() as server:
        os.environ.update(server.env)
        yield f"{server.new_prefix()}/registry"


def a_year(root: str) -> tuple[Attempt, ...]:
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.flight_delay import flight_delay

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):  # its thread delays the end of each run by a second
        return flight_delay(registry=root)


def tell(root: str, attempts: Sequence[Attempt]) -> None:
    """What the command line says about it: the versions, the last events, where the champion comes from, one refusal."""
    from flowreg.cli.app import run
    from flows.retrain import MODEL

    commands = [("show", MODEL), ("history", MODEL, "--last", "12"), ("show", f"{MODEL}@champion")]
    for command in [*commands, *(("gates", refused.version.ref, "--recorded") for refused in _last_refused(attempts))]:
        print(f"\n$ flowreg {' '.join(command)}", flush=True)
        run([*command, "--root", root])


def point_further(root: str, attempts: Sequence[Attempt]) -> None:
    from flows.retrain import MODEL

    bin_folder = Path(sys.executable).parent
    if bin_folder.is_relative_to(Path.cwd()):
        bin_folder = bin_folder.relative_to(Path.cwd())
    print(f"\nLook further:\n  export FLOWREG_ROOT={root}")
    print(f"  {bin_folder}/flowreg history {MODEL} --last 0")
    for refused in _last_refused(attempts):
        print(f"  {bin_folder}/flowreg diff {MODEL}@champion {refused.version.ref}")
    print(f"  {bin_folder}/flowreg policy show {MODEL}")
    print(f"The runs, their gate tables and version cards, at http://127.0.0.1:4200:\n  PREFECT_HOME={os.environ['PREFECT_HOME']} \\\n"
          f"    {bin_folder}/prefect server start")  # fmt: skip


def _last_refused(attempts: Sequence[Attempt]) -> list[Attempt]:
    return [attempt for attempt in attempts if not attempt.promoted][-1:]


@contextmanager
def _just(root: str) -> Iterator[str]:
    yield root


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m flows.demo", description="A year of retraining on real flights, judged by gates.")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--root", type=root_given, help="folder or URL of the registry (default: a new one in ./flowreg-demo)")
    where.add_argument("--s3", action="store_true", help="on a real S3 server, started here (needs the extra test)")
    return parser.parse_args(argv)


def root_given(given: str) -> str:
    """A URL as it is, a folder in full: flows may run elsewhere."""
    return given if "://" in given else str(Path(given).resolve())


if __name__ == "__main__":
    main()
