"""Evidence for an auditor: one folder that says who promoted a version, when and on what grounds, and can be checked without flowreg.

Rule 1: what is in it are the exact bytes of the registry; what was made from them (report, exports) is told apart.
Rule 2: the same state gives the same bytes. No clock of the reader is in it.
Rule 3: ``verify.py`` needs Python 3.9 and its standard library, and shares no code with the rest: it is a second opinion.
"""
