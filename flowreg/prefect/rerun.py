"""Run a flow again to reproduce a version: here, from its source, or by its deployment. ``python -m flowreg.prefect.rerun``

``here ENTRYPOINT`` is run in the work tree and the environment of the version, ``deployment NAME`` anywhere. What they need comes as
JSON on standard input, so that no secret stands on a command line. The exit code is 0 if the flow ended, or if all that stopped it was
that no alias moves in such a run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.deployments import run_deployment
from prefect.flows import Flow, load_flow_from_entrypoint

from ..errors import NotFound, Refused, Unavailable
from ..promoting import CODE_REPRODUCING


def run_here(entrypoint: str, parameters: dict[str, Any]) -> None:
    """Call the flow in this process. Raises what it raises."""
    sys.path[:0] = [str(Path.cwd()), str(Path(entrypoint.rpartition(":")[0]).resolve().parent)]
    flow: Flow[Any, Any] = load_flow_from_entrypoint(entrypoint)
    known = set(flow.parameters.properties)
    state: Any = flow(**{name: value for name, value in parameters.items() if name in known}, return_state=True)
    if state.is_completed():
        return
    error = state.result(raise_on_failure=False)
    if isinstance(error, Refused) and error.code == CODE_REPRODUCING:
        return
    raise error if isinstance(error, Exception) else RuntimeError(f"the flow ended as {state.type.value}")


def run_deployed(name: str, said: dict[str, Any]) -> str:
    """Run a deployment to its end; the id of its flow run. ``said`` has ``parameters``, ``env``, ``image``, ``tag`` and ``timeout_s``."""
    with get_client(sync_client=True) as client:
        try:
            deployment = client.read_deployment_by_name(name)
        except Exception as error:
            raise NotFound(
                f"Prefect has no deployment {name} ({type(error).__name__})", do="check PREFECT_API_URL", code="no-deployment"
            ) from None
    environ = {**(deployment.job_variables or {}).get("env", {}), **said["env"]}
    variables = {"env": environ, **({"image": said["image"]} if said.get("image") else {})}
    known = set((deployment.parameter_openapi_schema or {}).get("properties", said["parameters"]))
    run: Any = run_deployment(  # type: ignore[call-arg]
        name, parameters={k: v for k, v in said["parameters"].items() if k in known}, job_variables=variables, tags=[said["tag"]],
        timeout=said["timeout_s"], as_subflow=False, _sync=True,
    )  # fmt: skip
    if run.state is None or not run.state.is_final():
        raise Unavailable(
            f"flow run {run.id} has not ended in {said['timeout_s']:g} s", do="look at it in Prefect", code="not-ended", run=str(run.id)
        )
    return str(run.id)


def main(argv: list[str]) -> int:
    """The command: the exit code."""
    mode, name = argv
    said = json.load(sys.stdin)
    try:
        if mode == "here":
            run_here(name, said["parameters"])
        else:
            sys.stdout.write(f"{run_deployed(name, said)}\n")
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
