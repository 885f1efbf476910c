"""How fast flowreg is, as ratios to floors: ``python -m tests.benchmarks`` prints the table, ``--small`` in a minute.

A *floor* is plain standard-library Python that does the least the same promise needs: the same files, the same fsyncs. Floor and ours
are taken in turn in the same run, so that a loaded machine slows both; the ratio is the median of the pairs.

Rule 1: no test asserts a time. The tests run each benchmark small and see that it works; people read the table.
Rule 2: what is prepared and removed again is not timed, on neither side.
"""
