"""``python -m tests.benchmarks [--small] [NAME ...]``"""

from __future__ import annotations

import argparse

from .table import MEMORY_TARGET_MIB, PLANS, lines, peak_mib

MEMORY = "memory"


def main() -> None:
    """Print the table of the benchmarks that are named, or of all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="flowreg against floors in the standard library")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*PLANS, MEMORY, []], help=f"of {', '.join([*PLANS, MEMORY])}")
    parser.add_argument("--small", action="store_true", help="small sizes, two pairs each: only to see that all of it runs")
    asked = parser.parse_args()
    names = asked.names or [*PLANS, MEMORY]
    for line in lines([name for name in names if name != MEMORY], small=asked.small):
        print(line, flush=True)
    if MEMORY in names:
        print(f"peak memory of registering one file, above the import: {peak_mib(small=asked.small):.0f} MiB (target <= {MEMORY_TARGET_MIB:g})")


if __name__ == "__main__":
    main()
