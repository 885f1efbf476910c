"""Checking a registry: every file against every other, and each contradiction named with its file and what it means.

Rule 1: nothing here trusts a byte it reads, and nothing it reads makes it raise: what cannot be read is a finding.
Rule 2: a damaged model stops the checking of no other. Where one file is damaged, what merely follows from it is not reported too.
Rule 3: checking writes nothing. ``repair`` writes heads and checkpoints, from a full replay of a sound journal; the journal and the
blobs are never touched.
"""

from .repair import repair
from .report import Checked, Finding, Report
from .walk import check

__all__ = ["Checked", "Finding", "Report", "check", "repair"]
