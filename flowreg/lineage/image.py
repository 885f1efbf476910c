"""Which container image a run was made in.

It is taken from the first that says so: ``$FLOWREG_IMAGE`` and ``$FLOWREG_IMAGE_DIGEST``, the job variables of the flow run, what Podman
and Apptainer tell their containers. Nothing is asked over the network; a container that was told nothing does not know its image.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .attempts import Attempts
from .masking import masked_text

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SIGNS = ("/.dockerenv", "/run/.containerenv")
_PODMAN = Path("/run/.containerenv")


def read_image(job_variables: Mapping[str, Any], attempts: Attempts) -> dict[str, str]:
    """``image`` and ``image_digest`` of a run, as far as they are known; a warning where it is in a container that is not."""
    named = os.environ.get("FLOWREG_IMAGE") or _text(job_variables.get("image")) or _told()
    name, found, digest = named.rpartition("@sha256:")
    name, digest = (name, f"sha256:{digest}") if found else (named, "")
    digest = os.environ.get("FLOWREG_IMAGE_DIGEST") or digest or _digest_told()
    if digest and not _DIGEST.fullmatch(digest):
        attempts.warn("image digest", "what was given as one is none: it is sha256: and 64 hexadecimal digits")
        digest = ""
    if not name and _in_container():
        attempts.warn("image", "this is a container, but of which image is not known; $FLOWREG_IMAGE and $FLOWREG_IMAGE_DIGEST would say")
    elif name and not digest:
        attempts.warn("image digest", "not known, and a tag may move; $FLOWREG_IMAGE_DIGEST would say")
    return {key: value for key, value in {"image": masked_text(name), "image_digest": digest}.items() if value}


def _text(value: Any) -> str:
    return value if isinstance(value, str) and "{{" not in value else ""


def _told() -> str:
    return _podman().get("image", "") or os.environ.get("APPTAINER_CONTAINER") or os.environ.get("SINGULARITY_CONTAINER") or ""


def _digest_told() -> str:
    found = _podman().get("imageid", "")
    return f"sha256:{found}" if found and not found.startswith("sha256:") else found


def _podman() -> dict[str, str]:
    try:
        lines = _PODMAN.read_text(errors="replace")[:4000].splitlines()
    except OSError:
        return {}
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}


def _in_container() -> bool:
    return "KUBERNETES_SERVICE_HOST" in os.environ or any(map(os.path.exists, _SIGNS))
