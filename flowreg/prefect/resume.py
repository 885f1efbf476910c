"""Have a run that waits for people look again, after ``flowreg approve``: ``python -m flowreg.prefect.resume FLOW_RUN``.

Rule 1: it says nothing itself: what counts stands in the registry.
"""

from __future__ import annotations

import sys
from uuid import UUID

from prefect.exceptions import NotPausedError, ObjectNotFound
from prefect.flow_runs import resume_flow_run

from ..core.names import shown
from ..errors import BadInput, FlowregError, NotFound, Refused


def look_again(flow_run: str) -> None:
    """Resume a run that ``request_approval`` suspended; it asks anew unless the registry has what it waits for.

    ``NotFound`` where Prefect has no such run, ``Refused`` where it does not wait.
    """
    try:
        answer = {"verdict": "look again", "name": "flowreg", "reason": "somebody has spoken in the registry"}
        resume_flow_run(UUID(flow_run), run_input=answer, _sync=True)  # type: ignore[call-arg]
    except ValueError:
        raise BadInput(
            f"{shown(flow_run)} is not the id of a flow run", do="see flowreg gates REF --recorded --json", code="usage"
        ) from None
    except ObjectNotFound:
        raise NotFound(f"Prefect has no flow run {flow_run}", do="check PREFECT_API_URL", code="no-run") from None
    except NotPausedError:
        raise Refused(f"flow run {flow_run} does not wait", do="look at it in Prefect", code="not-waiting") from None
    except RuntimeError as error:
        raise Refused(f"Prefect does not resume flow run {flow_run}: {error}", do="look at it in Prefect", code="not-waiting") from None


def main(argv: list[str]) -> int:
    """The command: the exit code."""
    try:
        look_again(argv[0] if len(argv) == 1 else "")
    except FlowregError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"flow run {argv[0]} looks again\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
