"""One Postgres server over one data folder: made, started, recovered and stopped by whoever holds the server lock."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from persistence.embedded.account import Account
from persistence.embedded.binaries import Binaries
from persistence.embedded.errors import EmbeddedPostgresError
from persistence.embedded.home import Home

MAKE_SECONDS = 300
RELEASE_SECONDS = 10  # how long the processes of a killed server may take to notice
PAUSE_SECONDS = 0.01
STATUS_LINE = 7  # of postmaster.pid, counted from 0: "ready" once recovery is over
PARTING = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 2.0))  # fast shutdown, immediate shutdown, the end


@dataclass(frozen=True, slots=True)
class Postmaster:
    home: Home
    binaries: Binaries
    account: Account
    durable: bool
    max_connections: int

    def prepare(self) -> None:
        """Make the folders that are not there yet."""
        self.account.own_folder(self.home.sockets)
        if not self.home.data.exists():
            self._make_data()
        if not (self.home.data / "PG_VERSION").exists():
            raise EmbeddedPostgresError(f"{self.home.data} holds no database. Move it away to begin with an empty one.")

    def start(self) -> subprocess.Popen[bytes]:
        """A server that accepts connections, after ending what a killed supervisor left running.

        The processes of a server that was killed itself are given time to let go of its memory.
        """
        unclean, give_up = self._pid_file.exists(), time.monotonic() + RELEASE_SECONDS
        while True:
            self._end_orphan()
            process = self._run()
            while process.poll() is None:
                if self._is_ready(process.pid):
                    return process
                _pause()
            if not unclean or time.monotonic() > give_up:
                raise EmbeddedPostgresError(f"postgres ended with status {process.returncode}.")
            _pause()

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        _part(process.pid, gone=lambda: process.poll() is not None)

    @property
    def _pid_file(self) -> Path:
        return self.home.data / "postmaster.pid"

    def _make_data(self) -> None:
        unfinished = self.home.folder / "data.new"  # a killed initdb leaves only this
        shutil.rmtree(unfinished, ignore_errors=True)
        self.account.own_folder(unfinished)
        # The builtin provider sorts and folds case alike on every platform; before 18 it did not know full Unicode.
        builtin = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=PG_UNICODE_FAST"]
        locale = builtin if self.binaries.major >= 18 else ["--locale=C.UTF-8"]
        options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", *locale, *([] if self.durable else ["--no-sync"])]
        try:
            subprocess.run(
                [self.binaries.folder / "initdb", "-D", unfinished, *options],
                cwd=os.sep,
                check=True,
                timeout=MAKE_SECONDS,
                user=self.account.user,
                group=self.account.group,
                extra_groups=self.account.extra_groups,
            )
        except subprocess.SubprocessError as error:
            raise EmbeddedPostgresError(f"A new database could not be made: {error}") from error
        unfinished.rename(self.home.data)

    def _run(self) -> subprocess.Popen[bytes]:
        sockets = str(self.home.sockets).replace('"', '""')
        options = {
            "listen_addresses": "",
            "port": "5432",
            "unix_socket_directories": f'"{sockets}"',
            "unix_socket_permissions": "0700",
            "max_connections": str(self.max_connections),
            "shared_buffers": "64MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # An author's sentences do not belong into a log: neither statements nor the rows that an error is about.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return subprocess.Popen(
            [self.binaries.folder / "postgres", "-D", self.home.data, *settings],
            cwd=os.sep,
            user=self.account.user,
            group=self.account.group,
            extra_groups=self.account.extra_groups,
        )

    def _is_ready(self, pid: int) -> bool:
        lines = self._pid_file_lines()
        return len(lines) > STATUS_LINE and lines[0] == str(pid) and lines[STATUS_LINE].strip() == "ready"

    def _pid_file_lines(self) -> list[str]:
        try:
            return self._pid_file.read_text().splitlines()
        except FileNotFoundError:
            return []

    def _end_orphan(self) -> None:
        """Nobody else may run this data folder while we hold the server lock: what runs is left over, what does not is stale."""
        first = next(iter(self._pid_file_lines()), "").strip()
        pid = int(first) if first.isdigit() else 0
        if pid and self._is_ours(pid):
            _part(pid, gone=lambda: not self._is_ours(pid))
        elif not pid or _is_alive(pid):
            # A file that names no process, or one that is not ours, stops Postgres from starting. Its own check of
            # the shared memory, which does not need the file, still refuses to run beside a live server.
            self._pid_file.unlink(missing_ok=True)
        for left_over in self.home.sockets.iterdir():
            left_over.unlink()

    def _is_ours(self, pid: int) -> bool:
        return os.fsencode(self.home.data) in _command_line(pid)


def _command_line(pid: int) -> bytes:
    process = Path("/proc") / str(pid)
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        if Path("/proc/self").exists():
            return b""
    asked = ["ps", "-ww", "-o", "command=", "-p", str(pid)]  # macOS has no /proc, slim images of Linux have no ps
    return subprocess.run(asked, capture_output=True, timeout=10, check=False).stdout


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _part(pid: int, *, gone: Callable[[], bool]) -> None:
    for number, patience in PARTING:
        if gone():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        give_up = time.monotonic() + patience
        while not gone() and time.monotonic() < give_up:
            _pause()
    if not gone():
        raise EmbeddedPostgresError(f"The server with process number {pid} does not end.")


def _pause() -> None:
    time.sleep(PAUSE_SECONDS)  # noqa: TID251  the supervisor is a process of its own, without an event loop
