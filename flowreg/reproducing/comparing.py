"""Comparing two versions that are there: the record of one against what the other answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..artifacts import load_artifact
from ..core.views import Version
from ..errors import BadInput, FlowregError
from ..golden import Golden, decoded
from ..inside import Inside, VersionRef
from ..standards.told import packages_of
from ..storage import blobs
from .looking import the_version
from .verdict import Verdict, judged, tolerance_for


def compare(inside: Inside, before: VersionRef, after: VersionRef, *, tolerance: float | None, trust: bool) -> Verdict:
    """How ``after`` compares with ``before``, which it may reproduce. Loads ``after`` where there are golden inputs to ask it."""
    a, b = the_version(inside, before), the_version(inside, after)
    if tolerance is not None and not 0 <= tolerance < 1:
        raise BadInput(f"the tolerance is {tolerance}", do="give a share, for example 1e-6", code="bad-tolerance")
    answers, notes = (None, []) if a.digest == b.digest else _answers(inside, a, b, trust)
    return judged(
        a, b, answers=answers, tolerance=tolerance_for(a, b) if tolerance is None else tolerance,
        packages=(packages_of(inside.store, a), packages_of(inside.store, b)), notes=notes,
    )  # fmt: skip


def _answers(inside: Inside, a: Version, b: Version, trust: bool) -> tuple[tuple[Mapping[str, Any], Mapping[str, Any]] | None, list[str]]:
    if a.golden is None:
        return None, []
    golden: Golden = decoded(blobs.get(inside.store, a.golden, what=f"the golden inputs of {a.ref}"), a.ref)
    try:
        model = load_artifact(inside.store, b.digest, ref=b.ref, trust=trust, author=b.by.actor)
        return (golden.outputs, golden.answered_by(model)), []
    except FlowregError as error:
        return None, [f"{b.ref} was not asked: {error.what}"]
    except Exception as error:  # of a model that somebody else has written
        return None, [f"{b.ref} did not answer the golden inputs ({type(error).__name__})"]
