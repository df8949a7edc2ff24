"""`python -m bench [NAME ...]`: run all benchmarks, or those named."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import uvloop

from bench.api import api
from bench.api.cases import CASES
from bench.api.profiling import profile
from bench.first_text import first_text
from bench.jobs import jobs
from bench.prompts import prompts
from bench.slow_readers import slow_readers

BENCHMARKS: dict[str, Callable[[], Awaitable[None]]] = {
    "api": api,
    "first_text": first_text,
    "jobs": jobs,
    "prompts": prompts,
    "slow_readers": slow_readers,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument(
        "--data",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="measure prompts on the largest project in this folder of a context benchmark's cases",
    )
    parser.add_argument("--profile", choices=CASES, metavar="CASE", help=f"of api, only say where the time goes: {', '.join(CASES)}")
    asked = parser.parse_args()
    chosen_api = partial(profile, asked.profile) if asked.profile else api
    benchmarks = {**BENCHMARKS, "api": chosen_api, "prompts": partial(prompts, asked.data)}
    for name in asked.names or (["api"] if asked.profile else BENCHMARKS):
        # The loop that `scriptorium serve` runs on.
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(benchmarks[name]())


if __name__ == "__main__":
    main()
