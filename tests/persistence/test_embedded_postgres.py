"""The embedded Postgres keeps its promises whoever starts it, and whatever is killed."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from persistence.embedded import Address, EmbeddedPostgres, EmbeddedPostgresError, find_binaries
from persistence.embedded.account import Account, server_account
from persistence.embedded.home import Home
from persistence.embedded.reachable import reachable_binaries

CHECKOUT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
KEEP_A_ROW = "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 1"
# Starts the server for the folder given, tells the postmaster's number, and uses it until its standard input is closed.
USER = """
import sys
from pathlib import Path
from persistence.embedded import EmbeddedPostgres
database = EmbeddedPostgres(Path(sys.argv[1]), durable=False, binaries=Path(sys.argv[2]))
database.start()
print((database.folder / "ready").read_text(), (database.folder / "data").stat().st_uid, sep="|", flush=True)
sys.stdin.read()
database.stop()
"""


@contextmanager
def new_folder() -> Iterator[Path]:
    """Unlike pytest's own, a folder that the server's account may enter when the tests run as root."""
    made = Path(tempfile.mkdtemp(prefix="scriptorium test "))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made)


@pytest.fixture
def folder() -> Iterator[Path]:
    with new_folder() as made:
        yield made


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """For tests that need no fresh database: making one takes longer than all else here."""
    with new_folder() as made:
        yield made


@contextmanager
def running(root: Path, **options: object) -> Iterator[tuple[EmbeddedPostgres, Address]]:
    database = EmbeddedPostgres(root, **{"durable": False, **options})
    try:
        yield database, database.start()
    finally:
        database.stop()


def ask(address: Address, query: str) -> object:
    host = str(address.socket_directory)
    with psycopg.connect(host=host, user=address.superuser, dbname="postgres", connect_timeout=10, autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchone()[0] if cursor.description else None


def eventually(condition: Callable[[], bool], *, within: float = 15) -> None:
    give_up = time.monotonic() + within
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        threading.Event().wait(0.01)


def postmaster_of(home: Path) -> int:
    return int((home / "data/postmaster.pid").read_text().split()[0])


def parent_of(process: int) -> int:
    asked = subprocess.run(["ps", "-o", "ppid=", "-p", str(process)], capture_output=True, text=True, check=True)
    return int(asked.stdout)


def is_running(process: int) -> bool:
    asked = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return asked.stdout.strip()[:1] not in {"", "Z"}


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)
    eventually(lambda: not is_running(process))


@contextmanager
def a_program_of(account: int) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"], user=account if IS_ROOT else None) as program:
        try:
            yield program
        finally:
            program.kill()


def another_user(root: Path, *, python: str = sys.executable, checkout: Path = CHECKOUT, binaries: Path | None = None, account: Account):
    return subprocess.Popen(
        [python, "-c", USER, root, binaries or find_binaries().folder],
        cwd=os.sep,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        user=account.user,
        group=account.group,
        extra_groups=account.extra_groups,
    )


def test_a_fresh_folder_becomes_a_database_that_keeps_what_is_written(folder: Path):
    with running(folder / "new" / ".data", durable=True) as (database, address):
        assert ask(address, "SELECT lower('ÉIRE') || upper('straße')") == "éireSTRASSE"
        assert [ask(address, f"SHOW {name}") for name in ("fsync", "max_connections", "server_encoding")] == ["on", "100", "UTF8"]
        ask(address, KEEP_A_ROW)
        home, first = database.folder, postmaster_of(database.folder)
    assert not is_running(first)
    assert not (home / "data/postmaster.pid").exists()
    with running(folder / "new" / ".data") as (_, address):
        assert ask(address, "SELECT count(*) FROM kept") == 1


def test_tests_may_trade_durability_for_speed(root: Path):
    with running(root, durable=False, max_connections=200) as (_, address):
        names = ("fsync", "synchronous_commit", "full_page_writes", "max_connections")
        assert [ask(address, f"SHOW {name}") for name in names] == ["off", "off", "off", "200"]


def test_processes_that_start_at_once_on_a_fresh_folder_share_one_server(folder: Path):
    users = [another_user(folder, account=Account()) for _ in range(4)]
    said = {user.stdout.readline() for user in users}
    home = next(folder.glob("pg*"))
    postmaster = postmaster_of(home)
    assert len(said) == 1
    assert "run" in said.pop()
    assert (home / "server.log").read_text().count("ready to accept connections") == 1
    for user in users:
        user.communicate(timeout=30)
    assert not is_running(postmaster)


def test_the_server_runs_until_its_last_user_is_gone(root: Path):
    with running(root) as (_, address), running(root) as (first_to_leave, _):
        postmaster = postmaster_of(first_to_leave.folder)
        first_to_leave.stop()
        assert ask(address, "SELECT 1") == 1
    assert not is_running(postmaster)


def test_two_checkouts_have_two_servers(root: Path, folder: Path):
    with running(root) as (_, one), running(folder) as (_, other):
        ask(one, KEEP_A_ROW)
        assert ask(other, "SELECT to_regclass('kept')") is None


def test_the_server_stops_after_its_last_user_was_killed(root: Path):
    with another_user(root, account=Account()) as user:
        user.stdout.readline()
        home = next(root.glob("pg*"))
        postmaster = postmaster_of(home)
        user.kill()
    eventually(lambda: not is_running(postmaster))
    assert "database system is shut down" in (home / "server.log").read_text()


def test_a_program_the_application_started_does_not_keep_the_server_running(root: Path):
    with running(root) as (database, _):
        postmaster = postmaster_of(database.folder)
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    ended = not is_running(postmaster)
    child.kill()
    child.wait()
    assert ended


def test_a_killed_server_comes_back_by_itself_with_everything_committed(root: Path):
    with running(root, durable=True) as (database, address):
        ask(address, KEEP_A_ROW)
        killed = postmaster_of(database.folder)
        supervisor = parent_of(killed)
        kill(killed)
        assert database.start() == address
        assert ask(address, "SELECT count(*) FROM kept") == 1
        assert parent_of(postmaster_of(database.folder)) == supervisor


def test_a_polite_signal_to_the_supervisor_does_not_take_the_server_from_its_users(root: Path):
    with running(root) as (database, address):
        supervisor = parent_of(postmaster_of(database.folder))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(supervisor, number)
        assert ask(address, "SELECT pg_sleep(0.3)") is not None
        assert is_running(supervisor)


def test_the_next_user_replaces_a_server_whose_supervisor_was_killed(root: Path):
    with running(root, durable=True) as (database, address):
        ask(address, KEEP_A_ROW)
        orphan = postmaster_of(database.folder)
        kill(parent_of(orphan))
        with running(root) as (_, replaced):
            assert not is_running(orphan)
            assert ask(replaced, "SELECT count(*) FROM kept") == 1


def test_the_last_user_ends_a_server_whose_supervisor_was_killed(root: Path):
    with running(root) as (database, _):
        orphan, home = postmaster_of(database.folder), database.folder
        kill(parent_of(orphan))
    assert not is_running(orphan)
    assert not (home / "data/postmaster.pid").exists()


@pytest.mark.parametrize("truncated", [False, True], ids=["names an innocent process", "is empty"])
def test_a_pid_file_left_behind_stops_neither_the_next_start_nor_a_stranger(root: Path, *, truncated: bool):
    with running(root, durable=True) as (database, address):
        ask(address, KEEP_A_ROW)
        pid_file = database.folder / "data/postmaster.pid"
        left_behind, postmaster, owner = pid_file.read_text(), postmaster_of(database.folder), pid_file.stat()
        supervisor = parent_of(postmaster)
        kill(supervisor)
        kill(postmaster)
    with a_program_of(owner.st_uid) as innocent:
        pid_file.write_text("" if truncated else left_behind.replace(str(postmaster), str(innocent.pid), 1))
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        with running(root) as (_, address):
            assert ask(address, "SELECT count(*) FROM kept") == 1
        assert innocent.poll() is None


def test_a_path_too_long_for_a_socket_gets_a_private_folder_elsewhere(folder: Path):
    root = folder / ("long " * 30)
    with running(root) as (_, address):
        assert root not in address.socket_directory.parents
        assert address.socket_directory.stat().st_mode & 0o077 == 0
        assert ask(address, "SELECT 1") == 1
    address.socket_directory.chmod(0o755)
    with pytest.raises(EmbeddedPostgresError, match="not a private folder"), running(root):
        pass
    address.socket_directory.rmdir()


def test_a_data_folder_that_holds_something_else_is_left_alone(folder: Path):
    data = folder / f"pg{find_binaries().major}" / "data"
    data.mkdir(parents=True)
    (data / "novel.txt").write_text("It was a dark and stormy night.")
    with pytest.raises(EmbeddedPostgresError, match="holds no database"), running(folder):
        pass
    assert (data / "novel.txt").exists()


def test_data_of_another_version_are_not_passed_over_for_an_empty_database(folder: Path):
    (folder / "pg9" / "data").mkdir(parents=True)
    with pytest.raises(EmbeddedPostgresError, match="another version"), running(folder):
        pass


def test_without_programs_the_error_says_what_to_set(folder: Path):
    with pytest.raises(EmbeddedPostgresError, match="DATABASE_URL"), running(folder, binaries=folder):
        pass


def test_a_folder_that_cannot_be_written_is_named_in_the_error(folder: Path):
    (folder / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match="SCRIPTORIUM_DATA_DIR"), running(folder / "file" / ".data"):
        pass


def test_a_server_that_does_not_start_is_reported_with_its_log(root: Path):
    with pytest.raises(EmbeddedPostgresError, match="max_connections"), running(root, max_connections=-1):
        pass


def test_a_project_closed_to_everybody_else_stays_closed(folder: Path):
    closed, moved, state = folder / "closed", folder / "moved", folder / "state"
    installation = find_binaries().folder.parent
    package = installation.parent
    shutil.copytree(installation, closed / package.name / installation.name)
    if (libraries := package.with_name(f"{package.name}.libs")).exists():
        shutil.copytree(libraries, closed / libraries.name)
    closed.chmod(0o700)
    bin_below = Path(package.name, installation.name, "bin")
    with running(closed / ".data", binaries=closed / bin_below, state=state) as (database, address):
        ask(address, KEEP_A_ROW)
        assert (state in database.folder.parents) is IS_ROOT
        assert database.folder.stat().st_mode & 0o007 == 0
    assert closed.stat().st_mode & 0o777 == 0o700
    closed.rename(moved)
    with running(moved / ".data", binaries=moved / bin_below, state=state) as (_, address):
        assert ask(address, "SELECT count(*) FROM kept") == 1


def test_an_ordinary_user_runs_the_server_as_themselves(folder: Path):
    """Root lends the test the account the server runs under, and an interpreter that this account can reach."""
    account = server_account(folder)
    pythons = [sys.executable, "/usr/bin/python3"]
    reachable = [python for python in pythons if account.can_run(python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))")]
    account, python = (account, reachable[0]) if reachable else (Account(), sys.executable)
    shutil.copytree(CHECKOUT / "persistence/embedded", folder / "persistence/embedded")
    binaries = reachable_binaries(find_binaries(), home=Home(folder), account=account)
    theirs = folder / "theirs"
    account.own_folder(theirs)
    with another_user(theirs, python=python, checkout=folder, binaries=binaries.folder, account=account) as user:
        sockets, owner = user.stdout.readline().split("|")
        assert int(owner) == theirs.stat().st_uid
        assert ask(Address(Path(sockets)), "SELECT 1") == 1
        postmaster = postmaster_of(Path(sockets).parent)
        user.communicate(timeout=30)
    assert not is_running(postmaster)
