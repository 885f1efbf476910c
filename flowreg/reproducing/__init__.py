"""Making a version again: what it would take, doing it, and what came of it.

Rule 1: a plan runs nothing and changes nothing.
Rule 2: what is made again is a version of its own that says what it ``reproduces``; no alias moves.
Rule 3: a verdict is about what was compared, and says so; what could not be compared is not called equal.
"""
