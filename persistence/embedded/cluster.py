"""What the application holds: it says that it uses the server, and lets go."""

import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from persistence.embedded.binaries import Binaries, find_binaries
from persistence.embedded.errors import EmbeddedPostgresError
from persistence.embedded.home import SOCKET_NAME, Home, open_home
from persistence.embedded.launch import launch_supervisor
from persistence.embedded.locks import FileLock, exclusively

SYSTEM_STATE = Path("/var/lib/scriptorium")
PAUSE_SECONDS = 0.02
LOG_LINES = 12


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens: a folder that only its owner can enter, so no password is asked for."""

    socket_directory: Path
    superuser: str = "postgres"


@dataclass(frozen=True, slots=True)
class Use:
    """The shared lock that keeps the server running."""

    home: Home
    binaries: Binaries
    lock: FileLock


class EmbeddedPostgres:
    """A Postgres server for all processes that name the same `root`; it runs from the first `start` to the last `stop`.

    A process that dies without `stop` counts as stopped: the kernel releases its lock. The process that starts the server
    decides its options; `durable=False` gives up safety against a crash of the machine for speed, which suits tests only.
    `binaries` names a folder of Postgres programs, `state` the folder for root's data when `root` is closed to the server's
    account. The methods block; one object belongs to one thread at a time.
    """

    def __init__(
        self, root: Path, *, durable: bool = True, max_connections: int = 100, binaries: Path | None = None, state: Path = SYSTEM_STATE
    ) -> None:
        self._root = root.absolute()
        self._durable = durable
        self._max_connections = max_connections
        self._explicit_binaries = binaries
        self._state = state
        self._use: Use | None = None

    @property
    def folder(self) -> Path | None:
        """Where data and log are kept; None while not started."""
        return self._use.home.folder if self._use else None

    def start(self, timeout: float = 60) -> Address:
        """Use the server, within `timeout` seconds. The first user starts it; calling again finds it, or revives it.

        Raises EmbeddedPostgresError when there can be none here, saying what to do instead.
        """
        if sys.platform == "win32":
            raise EmbeddedPostgresError("The embedded Postgres does not run on Windows: set DATABASE_URL to a Postgres server.")
        give_up = time.monotonic() + timeout
        try:
            self._use = self._use or self._begin_use()
            return self._wait_for_server(self._use, give_up)
        except EmbeddedPostgresError:
            self._let_go()
            raise
        except (OSError, subprocess.SubprocessError) as error:
            self._let_go()
            raise EmbeddedPostgresError(
                f"The embedded Postgres cannot work in {self._root}: {error}. Set SCRIPTORIUM_DATA_DIR to a folder of your own "
                "on a local disk, or DATABASE_URL to a server that is running."
            ) from error

    def stop(self, wait: float = 15) -> None:
        """Let go; when nobody else uses the server, wait up to `wait` seconds until it is down. Harmless when not started."""
        use, give_up = self._use, time.monotonic() + wait
        self._let_go()
        while use and time.monotonic() < give_up and _is_unused(use.home):
            if lock := FileLock.exclusive(use.home.server_lock):
                if not use.home.ready.exists():
                    lock.release()
                    return
                # Its supervisor was killed. A new one ends what that left running, and then itself.
                self._hand_over(use, lock)
            _pause()

    def _begin_use(self) -> Use:
        binaries = find_binaries(self._explicit_binaries)
        home = open_home(self._root, major=binaries.major, state=self._state)
        return Use(home, binaries, FileLock.shared(home.users_lock))

    def _let_go(self) -> None:
        if self._use:
            self._use.lock.release()
            self._use = None

    def _wait_for_server(self, use: Use, give_up: float) -> Address:
        launched = False
        while time.monotonic() < give_up:
            if lock := FileLock.exclusive(use.home.server_lock):
                if launched:
                    lock.release()
                    raise EmbeddedPostgresError(_with_log("The embedded Postgres did not start.", use.home))
                self._hand_over(use, lock)
                launched = True
            elif address := _announced(use.home):
                return address
            _pause()
        raise EmbeddedPostgresError(_with_log("The embedded Postgres is not ready in time.", use.home))

    def _hand_over(self, use: Use, lock: FileLock) -> None:
        try:
            launch_supervisor(use.home, use.binaries, server_lock=lock, durable=self._durable, max_connections=self._max_connections)
        finally:
            lock.release()


def _announced(home: Home) -> Address | None:
    try:
        address = Address(Path(home.ready.read_text()))
    except FileNotFoundError:
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        answers = connection.connect_ex(str(address.socket_directory / SOCKET_NAME)) == 0
    return address if answers else None


def _is_unused(home: Home) -> bool:
    for _ in range(3):  # the supervisor holds this lock for an instant at every look
        with exclusively(home.users_lock) as unused:
            if unused:
                return True
        _pause()
    return False


def _with_log(sentence: str, home: Home) -> str:
    lines = home.log.read_text(errors="replace").splitlines()[-LOG_LINES:] if home.log.exists() else []
    return "\n  ".join([f"{sentence} Set DATABASE_URL to a server that is running, or mend this ({home.log}):", *lines])


def _pause() -> None:
    time.sleep(PAUSE_SECONDS)  # noqa: TID251  blocking by contract: the caller has a thread for it
