"""The command line: ``flowreg [--root URL] VERB``.

Rule 1: no rule of the registry lives here. A verb reads what was typed, asks the façade, and shows the answer.
Rule 2: a verb is imported when it is asked for; ``flowreg --help`` and ``flowreg ls`` import no numpy, pandas, Prefect or gates.
Rule 3: what a person or a file wrote is shown as it stands, never as markup or as control characters (``paint``).
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    import sys

    from .app import run

    sys.exit(run(sys.argv[1:] if argv is None else argv))
