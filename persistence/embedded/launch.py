"""Starts the supervisor as a process that outlives the one that needed it."""

import os
import subprocess
import sys
from pathlib import Path

from persistence.embedded.binaries import Binaries
from persistence.embedded.home import Home
from persistence.embedded.locks import FileLock

SPAWN_SECONDS = 30
# The server needs none of the application's secrets, and it would obey every PG* variable.
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def launch_supervisor(home: Home, binaries: Binaries, *, server_lock: FileLock, durable: bool, max_connections: int) -> None:
    """Hand the server lock to a new supervisor, which inherits it with its descriptor. Its output begins a new log."""
    home.ready.unlink(missing_ok=True)
    if home.log.exists():
        home.log.replace(home.log.with_suffix(".previous.log"))
    # -P and -s: nothing from the working folder or the user's own site may stand in for a module.
    interpreter = [sys.executable, "-sP", "-m", "persistence.embedded.supervisor"]
    options = ["durable" if durable else "volatile", str(max_connections)]
    with home.log.open("xb") as log:
        subprocess.run(
            [*interpreter, str(home.folder), str(binaries.folder), str(binaries.major), *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=os.sep,
            env=_environment(),
            pass_fds=[server_lock.descriptor],
            start_new_session=True,
            timeout=SPAWN_SECONDS,
            check=True,
        )


def _environment() -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return passed_on | {"LC_ALL": "C", "PYTHONPATH": str(Path(__file__).parents[2])}
