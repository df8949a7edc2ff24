"""`python -m tests.reliability.chaos`: one run; the exit status says whether every promise held."""

import argparse
import asyncio
import sys

from tests.reliability.chaos.report import lines
from tests.reliability.chaos.storm import Weather, storm


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides what is asked for, and what goes wrong when")
    parser.add_argument("--runs", type=int, default=100, help="how many jobs")
    options = parser.parse_args()
    outcome = asyncio.run(storm(Weather(seed=options.seed, runs=options.runs)))
    sys.stdout.write("\n".join([*lines(outcome), ""]))
    sys.exit(1 if outcome.violations else 0)


if __name__ == "__main__":
    main()
