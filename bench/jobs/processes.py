"""A `scriptorium worker` of its own, as on another machine."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from settings import ROOT
from tests.reliability.processes import environment

STOP_SECONDS = 40


@contextmanager
def worker(*, database_url: str, model_url: str, **settings: str) -> Iterator[int]:
    """Its process id, once it works; it is told to stop when the context ends."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "worker"],
            cwd=ROOT,
            env=environment(Path(folder), database_url=database_url, model_url=model_url, **settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline(), "the worker did not start"
            yield process.pid
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)
