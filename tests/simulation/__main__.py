"""`python -m tests.simulation SEED` runs one seed again, `--seeds N` so many, as CI does."""

import argparse
import os
import sys
from collections import Counter
from time import perf_counter

from tests.simulation.run import Broken, simulate

__all__ = ["main"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", type=int, nargs="?", help="run this one")
    parser.add_argument("--seeds", type=int, default=1_000, help="run so many (default 1000)")
    parser.add_argument("--from", type=int, default=0, dest="first", help="beginning with this one")
    chosen = parser.parse_args()
    if chosen.seed is not None:
        return run_all(range(chosen.seed, chosen.seed + 1))
    return run_all(range(chosen.first, chosen.first + chosen.seeds))


def run_all(seeds: range) -> int:
    """Prints what broke, and how often what happened, per run."""
    counts: Counter[str] = Counter()
    broken = 0
    began = perf_counter()
    for seed in seeds:
        try:
            counts += simulate(seed)
        except Broken as exc:
            broken += 1
            print(exc, end="\n\n", flush=True)
    for what in sorted(counts):
        print(f"{counts[what] / len(seeds):10.1f}  {what}")
    print(f"{len(seeds)} seeds in {perf_counter() - began:.1f} s, {broken} broke a promise")
    return 1 if broken else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets is part of what happens: only so does a seed say all.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])  # noqa: S606 # itself
    sys.exit(main())
