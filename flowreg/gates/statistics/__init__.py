"""The statistics behind ``check: compare``: is the candidate better, or at least not worse, than chance could make it look?

Rule 1: a difference is always candidate minus baseline, turned so that more is better.
Rule 2: a bound is one-sided at ``alpha``: the truth is below ``low`` in at most ``alpha`` of all samples, and above ``high`` likewise.
Rule 3: where a bound could not be trusted (too few of a class, too lopsided, not finite) it is refused, never given.
Rule 4: numpy and scipy are imported by the modules that compute; ``known``, ``verdict``, ``holm``, ``tango`` and ``estimate`` do without.
"""
