"""The keys of artifacts: which page of Prefect's interface is about which model.

Rule 1: two models never share a key, and no key is that of another kind. Prefect allows small letters, digits and dashes only, so:

    churn            flowreg-churn-history              small letters and digits, joined by single dashes: as it is
    risk/churn       flowreg-risk--churn-history        the same in folders: ``/`` is two dashes
    Risk_Churn.v2    flowreg-risk-churn-v2---5e0c…      any other: its letters, three dashes, 12 digits of its SHA-256

Rule 2: these keys stay: people's bookmarks and automations hold them.
"""

from __future__ import annotations

import hashlib
import re

VERSION, GATES, HISTORY = "version", "gates", "history"

_NO_KEY = re.compile(r"[^a-z0-9]+")
_PLAIN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)*")


def artifact_key(model: str, what: str) -> str:
    """``flowreg-risk--churn-version`` for the model ``risk/churn``."""
    return f"flowreg-{_slug(model)}-{what}"


def _slug(model: str) -> str:
    if _PLAIN.fullmatch(model):
        return model.replace("/", "--")
    readable = _NO_KEY.sub("-", model.lower()).strip("-") or "model"
    return f"{readable}---{hashlib.sha256(model.encode()).hexdigest()[:12]}"
