"""The detached process that runs the server for as long as anybody uses it, and stops it soon after the last user is gone.

It has the server as its child and inherited the server lock from the process that started it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from persistence.embedded.account import server_account
from persistence.embedded.binaries import Binaries
from persistence.embedded.errors import EmbeddedPostgresError
from persistence.embedded.home import Home
from persistence.embedded.locks import exclusively
from persistence.embedded.postmaster import Postmaster
from persistence.embedded.reachable import reachable_binaries

GRACE_SECONDS = 0.5  # without any user before the server stops; spares a restart of the application the restart of the database
WATCH_SECONDS = 0.1
RESTARTS_PER_MINUTE = 3


class Supervisor:
    """Watches two things: the users' lock, and whether the server lives."""

    def __init__(self, postmaster: Postmaster) -> None:
        self._postmaster = postmaster
        self._home = postmaster.home
        self._idle_since: float | None = None
        self._restarts: list[float] = []

    def run(self) -> None:
        """Return when nobody uses the server any more."""
        self._postmaster.prepare()
        server = self._postmaster.start()
        self._publish()
        try:
            while not self._may_end():
                if not _ends_within(server, WATCH_SECONDS):
                    continue
                self._retract()
                self._count_restart()
                server = self._postmaster.start()
                self._publish()
        finally:
            self._retract()
            self._postmaster.stop(server)

    def _may_end(self) -> bool:
        with exclusively(self._home.users_lock) as unused:
            now = time.monotonic()
            self._idle_since = (self._idle_since or now) if unused else None
            over = self._idle_since is not None and now - self._idle_since >= GRACE_SECONDS
            if over:  # said while the lock is ours: whoever comes next finds no server announced and waits for a new one
                self._retract()
        return over

    def _count_restart(self) -> None:
        now = time.monotonic()
        self._restarts = [moment for moment in self._restarts if now - moment < 60] + [now]
        if len(self._restarts) > RESTARTS_PER_MINUTE:
            raise EmbeddedPostgresError("postgres ended again and again.")

    def _publish(self) -> None:
        written = self._home.ready.with_suffix(".new")
        written.write_text(str(self._postmaster.home.sockets))
        written.rename(self._home.ready)

    def _retract(self) -> None:
        self._home.ready.unlink(missing_ok=True)


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
        return True
    return False


def main(home: Home, binaries: Binaries, *, durable: bool, max_connections: int) -> None:
    """Leave the process that started us, then supervise; its log is our standard error."""
    if os.fork():
        os._exit(0)
    # A signal to everybody (a machine or a service going down) must not take the database from an application that is
    # still writing down its work: the server ends when its users have.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    try:
        account = server_account(home.data)
        found = reachable_binaries(binaries, home=home, account=account)
        Supervisor(Postmaster(home, found, account, durable, max_connections)).run()
    except (EmbeddedPostgresError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(
        Home(Path(sys.argv[1])),
        Binaries(Path(sys.argv[2]), int(sys.argv[3])),
        durable=sys.argv[4] == "durable",
        max_connections=int(sys.argv[5]),
    )
