"""The locks install the same, checked files from wherever a machine gets its packages."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[2]
DEPENDENCIES, INSTALLER = CHECKOUT / "requirements.lock", CHECKOUT / "scripts/uv.lock.txt"


def entries(lock: Path) -> list[str]:
    return re.sub(r"\\\n", "", lock.read_text()).splitlines()


def locked(lock: Path) -> dict[str, str]:
    requirements = (Requirement(entry.split("--hash")[0]) for entry in entries(lock))
    return {canonicalize_name(requirement.name): next(iter(requirement.specifier)).version for requirement in requirements}


@pytest.mark.parametrize("lock", [DEPENDENCIES, INSTALLER], ids=lambda lock: lock.name)
def test_a_lock_names_no_address_of_an_index(lock: Path):
    for address in ("://", "--index", "--extra-index", "--find-links", "--trusted-host", "@"):
        assert address not in lock.read_text()


@pytest.mark.parametrize("lock", [DEPENDENCIES, INSTALLER], ids=lambda lock: lock.name)
def test_every_locked_package_has_one_version_and_hashes(lock: Path):
    for entry in entries(lock):
        assert re.match(r"\S+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry), entry


def test_what_the_project_asks_for_is_what_is_locked():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    versions = locked(DEPENDENCIES)
    for asked in map(Requirement, [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]):
        version = versions.get(canonicalize_name(asked.name))
        assert version, f"{asked.name} is not locked: run `make lock`"
        assert asked.specifier.contains(version), f"{asked} is locked at {version}: run `make lock`"


def test_the_installer_is_locked_alone():
    assert set(locked(INSTALLER)) == {"uv"}
