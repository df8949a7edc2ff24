"""Where one embedded server lives: the folder of its data, locks, log and socket."""

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from persistence.embedded.account import Account, server_account
from persistence.embedded.errors import EmbeddedPostgresError

SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 100  # bytes; the kernel's field holds 108 on Linux and 104 on macOS


@dataclass(frozen=True, slots=True)
class Home:
    """One folder per major version: the formats of two versions differ, so their data never share a folder."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def binaries(self) -> Path:
        """A copy of the programs, for an account that cannot enter the virtual environment."""
        return self.folder / "binaries"

    @property
    def users_lock(self) -> Path:
        """Held shared by every process that uses the server."""
        return self.folder / "users.lock"

    @property
    def server_lock(self) -> Path:
        """Held exclusively by the supervisor for its whole life."""
        return self.folder / "server.lock"

    @property
    def ready(self) -> Path:
        """Names the socket's folder while the server may be used."""
        return self.folder / "ready"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def sockets(self) -> Path:
        """Inside the home, unless the path is too long for a socket or has signs that connection strings give a meaning."""
        inside = self.folder / "run"
        if re.fullmatch(r"[\w/ .+-]+", str(inside)) and len(os.fsencode(inside / SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
            return inside
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        # Not tempfile's folder: processes with different TMPDIR must meet, and it can itself be too long. The owner is checked.
        return Path("/tmp") / f"scriptorium-{os.geteuid()}-{digest}"  # noqa: S108


def open_home(root: Path, *, major: int, state: Path) -> Home:
    """The home below `root`, made when it is not there.

    For root, when the server's account cannot enter `root`, the home is a new folder in `state` and `root` gets a link to it:
    opening somebody's private folder to everybody, or making an account, is not ours to do.
    """
    _refuse_other_majors(root, major)
    root.mkdir(parents=True, exist_ok=True)
    entry = root / f"pg{major}"
    if not entry.is_symlink() and not entry.exists():
        _make(entry, state)
    if not entry.exists():
        raise EmbeddedPostgresError(
            f"The database was kept in {entry.readlink()}, which is gone. Restore that folder, or remove {entry} to begin with an empty database."
        )
    owner = entry.stat().st_uid
    if os.geteuid() not in {0, owner}:
        raise EmbeddedPostgresError(
            f"{entry} belongs to the account number {owner}. Start as that account, or set SCRIPTORIUM_DATA_DIR to a folder of your own."
        )
    return Home(entry.resolve())


def _refuse_other_majors(root: Path, major: int) -> None:
    others = [data.parent for data in root.glob("pg*/data") if data.parent.name != f"pg{major}"]
    if others and not (root / f"pg{major}").exists():
        raise EmbeddedPostgresError(
            f"The database in {others[0]} was made by another version of Postgres than {major}. Copy it over with that version's pg_dump, "
            "or move the folder away to begin with an empty database."
        )


def _make(entry: Path, state: Path) -> None:
    account = server_account(entry / "data")
    if account.user is None or account.can_enter(entry.parent):
        entry.mkdir(mode=0o700, exist_ok=True)
        account.admit_to(entry)
    else:
        _make_elsewhere(entry, account, state)


def _make_elsewhere(entry: Path, account: Account, state: Path) -> None:
    if not state.exists():
        state.mkdir(parents=True, exist_ok=True)
        state.chmod(0o755)
    if not account.can_enter(state):
        raise EmbeddedPostgresError(
            f"Postgres does not run as root, and its account (number {account.user}) can enter neither {entry.parent} nor {state}. "
            "Set SCRIPTORIUM_DATA_DIR to a folder that everybody may enter, or DATABASE_URL to a server that is running."
        )
    # A fresh name and not one computed from the path: whoever removes the project's data folder means to begin anew.
    home = Path(tempfile.mkdtemp(prefix=f"{entry.name}-", dir=state))
    account.admit_to(home)
    try:
        entry.symlink_to(home)
    except FileExistsError:  # another process was first
        home.rmdir()
