"""The account the server runs under: Postgres refuses root, so root borrows an existing account and never makes one."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from persistence.embedded.errors import EmbeddedPostgresError

if sys.platform != "win32":
    import pwd

ASK_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Account:
    """Values for `subprocess`: all None means the account of the current process."""

    user: int | None = None
    group: int | None = None

    @property
    def extra_groups(self) -> list[int] | None:
        return None if self.user is None else []

    def own_folder(self, folder: Path) -> None:
        """Make the folder, or check the one that is there: owned by this account and closed to all others."""
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            self._check(folder)
        else:
            if self.user is not None:
                os.chown(folder, self.user, self.group or 0)

    def admit_to(self, folder: Path) -> None:
        """Let this account, and nobody else, pass through a folder of ours."""
        if self.user is not None:
            os.chown(folder, -1, self.group or 0)
        folder.chmod(0o700 if self.user is None else 0o710)

    def can_run(self, *command: str | Path) -> bool:
        """Ask the kernel by trying: only it knows every rule about paths, links, mounts and access lists."""
        try:
            answer = subprocess.run(
                command,
                cwd=os.sep,
                capture_output=True,
                timeout=ASK_SECONDS,
                check=False,
                user=self.user,
                group=self.group,
                extra_groups=self.extra_groups,
            )
        except PermissionError:
            return False
        return answer.returncode == 0

    def can_enter(self, folder: Path) -> bool:
        return self.can_run("test", "-x", folder)

    def _check(self, folder: Path) -> None:
        found = folder.lstat()
        owner = os.geteuid() if self.user is None else self.user
        if folder.is_symlink() or not folder.is_dir() or found.st_uid != owner or found.st_mode & 0o077:
            raise EmbeddedPostgresError(
                f"{folder} is not a private folder of the database server's account (number {owner}). "
                "Remove it if it is yours, or set DATABASE_URL to a server that is running."
            )


def server_account(data: Path) -> Account:
    """The owner of the data if there are any, else the current account, or for root `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return Account()
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid)
    raise EmbeddedPostgresError(
        "Postgres does not run as root, and there is neither an account `postgres` nor `nobody` to run it as. "
        "Start as an ordinary user, or set DATABASE_URL to a server that is running."
    )
