"""``python -m tests.benchmarks [--small] [NAME ...]``"""

from __future__ import annotations

import argparse

from . import scale, writers
from .table import MEMORY_TARGET_MIB, PLANS, lines, peak_mib

MEMORY, SCALE = "memory", "scale"
WRITERS = {f"writers-{place}": place for place in writers.PLACES}
NAMES = (*PLANS, MEMORY, *WRITERS, SCALE)


def main() -> None:
    """Print the table of the benchmarks that are named, or of all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="flowreg against floors in the standard library")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all where none is given")
    parser.add_argument("--small", action="store_true", help="small sizes, two pairs each: only to see that all of it runs")
    asked = parser.parse_args()
    names = asked.names or NAMES
    if strangers := set(names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(strangers))}: choose of {', '.join(NAMES)}")
    for line in lines([name for name in names if name in PLANS], small=asked.small):
        print(line, flush=True)
    if MEMORY in names:
        peak = peak_mib(small=asked.small)
        print(f"peak memory of registering one file, above the import: {peak:.0f} MiB (target <= {MEMORY_TARGET_MIB:g})")
    if places := [place for name, place in WRITERS.items() if name in names]:
        for line in writers.lines(writers.every(places, small=asked.small)):
            print(line, flush=True)
    if SCALE in names:
        print("\n".join(scale.lines(scale.measured(scale.SIZES[:2] if asked.small else scale.SIZES))))


if __name__ == "__main__":
    main()
