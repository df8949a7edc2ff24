"""A Postgres server of the run's own, as durable as in earnest, that is restarted and crashed under everybody's feet."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psycopg

from commands.database import embedded_urls
from persistence.embedded import Address, Binaries, find_binaries
from persistence.embedded.account import Account, server_account
from persistence.embedded.home import Home
from persistence.embedded.reachable import reachable_binaries
from persistence.migrate import upgrade

INITDB_OPTIONS = ("-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
CONFIGURATION = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    # When something was committed is what the model's calls are compared with; a row's own time is older than its commit.
    "track_commit_timestamp": "on",
}
START_SECONDS = 60
STOP_SECONDS = 20
PAUSE_SECONDS = 0.02


class RestlessPostgres:
    """Not for use from two tasks at a time. What it says of itself is in `log`."""

    def __init__(self, home: Home, binaries: Binaries, account: Account) -> None:
        self._home = home
        self._binaries = binaries
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None
        self.log = home.log

    @property
    def url(self) -> str:
        """As its owner, whom DATABASE_URL names in a small installation."""
        return embedded_urls(Address(self._home.sockets)).owner

    async def start(self) -> None:
        """Return when it can be connected to, after recovery if that is needed."""
        settings = {**CONFIGURATION, "unix_socket_directories": str(self._home.sockets)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self._home.log.open("ab") as log:
            self._process = self._popen("postgres", "-D", str(self._home.data), *options, output=log.fileno())
        async with asyncio.timeout(START_SECONDS):
            while not await asyncio.to_thread(self._answers):
                assert self._process.poll() is None, self._home.log.read_text(encoding="utf-8", errors="replace")
                await asyncio.sleep(PAUSE_SECONDS)

    async def stop(self, *, crash: bool = False) -> None:
        """A fast shutdown, or with `crash` one that saves nothing and leaves everything to recovery."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
            await asyncio.to_thread(self._process.wait, STOP_SECONDS)
            self._process = None

    def make_data(self) -> None:
        self._account.own_folder(self._home.sockets)
        self._account.own_folder(self._home.data)
        with self._home.log.open("ab") as log:
            assert self._popen("initdb", "-D", str(self._home.data), *INITDB_OPTIONS, output=log.fileno()).wait() == 0

    def _popen(self, program: str, *arguments: str, output: int) -> subprocess.Popen[bytes]:
        account = self._account
        return subprocess.Popen(
            [self._binaries.folder / program, *arguments],
            cwd=os.sep,
            stdout=output,
            stderr=output,
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
        )

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(self.url):
            return True
        return False


@asynccontextmanager
async def restless_postgres() -> AsyncIterator[RestlessPostgres]:
    """Running and migrated; gone with its data when the context ends."""
    # Not pytest's own folder for temporary files: started by root, the server runs as somebody who may not enter that.
    folder = Path(tempfile.mkdtemp(prefix="scriptorium-chaos-"))
    folder.chmod(0o755)
    home = Home(folder)
    account = server_account(home.data)
    binaries = reachable_binaries(find_binaries(), home=home, account=account)
    postgres = RestlessPostgres(home, binaries, account)
    try:
        await asyncio.to_thread(postgres.make_data)
        await postgres.start()
        await asyncio.to_thread(upgrade, postgres.url, application_role=None)
        yield postgres
    finally:
        await postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
