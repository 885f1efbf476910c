"""Gates: a policy, the facts, and the judgement. Pure: no I/O but ``Policy.load``, no clock.

Importing this brings neither lark, numpy nor scipy: the parser is built when the first expression is read.
"""

from .any_of import AnyOf
from .expression import Expr
from .facts import Facts, Measured, Subject
from .judge import blocked_message, judge
from .metadata import Metadata
from .policy import Policy

__all__ = ["AnyOf", "Expr", "Facts", "Measured", "Metadata", "Policy", "Subject", "blocked_message", "judge"]
