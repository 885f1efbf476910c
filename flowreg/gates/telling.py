"""How a comparison is told: the two values, the difference, the bound that decides, and what would settle it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from .saying import pair, trimmed
from .statistics.known import METHOD_NAMES
from .statistics.verdict import Finding, Verdict

if TYPE_CHECKING:
    from .compare import Compare
    from .statistics.compared import Compared


def told(gate: Compare, found: Compared, verdict: Verdict, whose: str, holm: tuple[float, int] | None = None) -> str:
    """One sentence. ``whose`` is the baseline (``champion's``), ``holm`` the corrected p-value and of how many tests."""
    mine, theirs = _pair(found.candidate, found.baseline)
    noun = "difference" if gate.known.better == "higher" else "improvement"
    difference = trimmed(_pair(found.estimate.difference, found.estimate.difference)[0])
    sign = "+" if found.estimate.difference > 0 else ""
    bound = _by_holm(gate, verdict, holm) if holm else _by_bound(gate, found, verdict)
    return (
        f"{gate.metric} {mine} against {whose} {theirs}: {noun} {sign}{difference}, {bound}"
        f"{_more(found, verdict)} ({METHOD_NAMES[gate.chosen]}, n = {found.estimate.n:,})"
    )


def _by_bound(gate: Compare, found: Compared, verdict: Verdict) -> str:
    low, high = found.estimate.low, found.estimate.high
    if low is None or high is None:
        return _by_p(gate, found, verdict.finding)
    upper = gate.test == "no_harm" or verdict.finding == "fail"
    bound, limit = (trimmed(text) for text in _pair(high if upper else low, -(gate.margin or 0.0)))
    name = f"{'upper' if upper else 'lower'} {100 * (1 - gate.alpha):g} % bound {bound}"
    match gate.test, verdict.finding:
        case "no_harm", "pass":
            return f"{name} is not below {limit}"
        case _, "pass":
            return f"{name} > {limit}"
        case _, "fail":
            return f"{name} < {limit}, so it is worse{' by more than the margin' if gate.margin else ''}"
        case _:
            return f"inconclusive: {name} is not above {limit}"


def _by_p(gate: Compare, found: Compared, finding: Finding) -> str:
    if gate.test == "no_harm" or finding == "fail":
        return f"{'worse' if finding == 'fail' else 'not worse'}: {_p(found.estimate.p_worse, gate.alpha)}"
    return f"{'better' if finding == 'pass' else 'inconclusive'}: {_p(found.estimate.p_better, gate.alpha)}"


def _by_holm(gate: Compare, verdict: Verdict, holm: tuple[float, int]) -> str:
    said = "worse" if verdict.finding == "fail" else "not worse"
    return f"{said}: {_p(holm[0], gate.alpha)} by Holm over {holm[1]} tests"


def _p(p: float, alpha: float) -> str:
    if p < min(alpha, 0.0001):
        return "p < 0.0001"
    printed, limit = map(trimmed, _pair(p, alpha))
    return f"p {printed} {'<' if p < alpha else 'is not below'} {limit}"


def _more(found: Compared, verdict: Verdict) -> str:
    if verdict.finding != "inconclusive" or found.estimate.low is None:
        return ""
    if verdict.needed is None:
        return "; no number of examples would settle it in its favour while the difference stays"
    return f"; about {_round(max(verdict.needed - found.estimate.n, 1)):,} more examples would settle it"


def _round(count: int) -> int:
    """Two digits say all that is known."""
    step: int = 10 ** max(len(str(count)) - 2, 0)
    return -(-count // step) * step


def _pair(left: float, right: float) -> tuple[str, str]:
    texts = pair(Decimal(repr(left)), Decimal(repr(right)))
    return _unsigned_zero(texts[0]), _unsigned_zero(texts[1])


def _unsigned_zero(text: str) -> str:
    return text.lstrip("-") if set(text) <= set("-0.") else text
