"""`python -m bench [NAME ...]`: run all benchmarks, or those named."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable

import uvloop

from bench.first_text import first_text
from bench.jobs import jobs

BENCHMARKS: dict[str, Callable[[], Awaitable[None]]] = {"first_text": first_text, "jobs": jobs}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], metavar="NAME", help=", ".join(BENCHMARKS))
    for name in parser.parse_args().names or BENCHMARKS:
        # The loop that `scriptorium serve` runs on.
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(BENCHMARKS[name]())


if __name__ == "__main__":
    main()
