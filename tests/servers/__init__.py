"""Real servers for the tests: one module a server, each a context manager that yields a frozen value.

Rule 1: everything listens on 127.0.0.1, on a free port, and writes into a temporary folder of its own.
Rule 2: what is started is stopped, with all its children, also when pytest is killed (``keeper``).
Rule 3: nothing is faked: what is missing is skipped with its install line, or fails (``need``).
"""
