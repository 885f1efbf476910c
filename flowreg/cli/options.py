"""The options that verbs share, each with its one meaning and help."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .here import Here

InHere = Annotated[Here, Parameter(parse=False)]
Typed = Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]
Texts = tuple[str, ...]

Root = Annotated[str | None, Parameter(help="Folder or URL of the registry. Default: $FLOWREG_ROOT, pyproject.toml, ~/.flowreg.")]
StorageOptions = Annotated[
    Texts,
    Parameter(
        name="--storage-option",
        help="NAME=VALUE for the root's filesystem, once for each, for example endpoint_url=http://minio:9000. Others see what is typed: "
        "leave secrets to the environment.",
    ),
]
Tried = Annotated[str | None, Parameter(help="A folder or URL to try: small files are written beside the registry, and removed.")]
AsJson = Annotated[bool, Parameter(name="--json", help="Print JSON, for programs.")]
AsOf = Annotated[str | None, Parameter(help="As it was at this moment: 2026-11-22 (its end) or 2026-11-22T09:14:03Z.")]
DryRun = Annotated[bool, Parameter(help="Say what would happen, and write nothing.")]
Because = Annotated[str | None, Parameter(help="The reason; it is kept in the history.")]
Reason = Annotated[str, Parameter(help="The reason; it is kept in the history.")]
Last = Annotated[int, Parameter(help="How many to show, the newest first; 0 for all. JSON has all.")]

Model = Annotated[str, Parameter(help="A model: churn, or with a namespace risk/churn.")]
Ref = Annotated[str, Parameter(help="A version: churn@12, churn@champion, churn@newest, churn@sha256:9f2c41.")]
To = Annotated[str, Parameter(help="The alias: champion, challenger, or your own.")]
On = Annotated[str | None, Parameter(help="The dataset that the metrics were measured on.")]
Metrics = Annotated[Texts, Parameter(name="--metric", help="NAME=VALUE, once for each; n=VALUE is the number of examples.")]
Slices = Annotated[Texts, Parameter(name="--slice", help="SLICE:METRIC=VALUE, for example region=south:recall=0.69, once for each.")]
