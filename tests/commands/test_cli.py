"""Each command as a real process: what it prints, how it ends, and that it leaves nothing behind."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import orjson
import psycopg
import pytest

from commands.demo import documents
from commands.serve import local_address
from resolvers.authentication import local_authenticator
from server import utc_now
from settings import ROOT
from tests.reliability.processes import environment, free_port
from tests.server.running import SECRET

SECONDS = 20
IN_THE_BACKGROUND = ("/bin/sh", "-c", 'trap "" INT; exec "$0" "$@"')
"""How a script starts what it does not wait for (`command &`): with SIGINT ignored."""


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, database_url=None, model_url=None)


def run(settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments], cwd=ROOT, env=settings, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def refusal(settings: dict[str, str], *arguments: str) -> str:
    """What a command that cannot do its work says: one line for people, and an exit code for programs."""
    ended = run(settings, *arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("scriptorium: ")
    assert ended.stderr.count("\n") == 1
    return ended.stderr


@contextmanager
def started(settings: dict[str, str], *arguments: str, until: str, by: tuple[str, ...] = ()) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, started `by` another program if that is given, and what it has printed up to the line that contains `until`."""
    command = [*by, sys.executable, "-m", "cli", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    printed = ""
    try:
        for line in process.stdout:
            printed += line
            if until in line:
                break
        yield process, printed
    finally:
        process.kill()
        process.communicate(timeout=SECONDS)


def ends(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    """The exit code, and what is still printed."""
    process.send_signal(number)
    rest, _ = process.communicate(timeout=SECONDS)
    return process.returncode, rest


def connections(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()").fetchone()
    assert row is not None
    return int(row[0])


def test_help_needs_nothing_but_the_standard_library_and_the_settings():
    program = "import sys, cli\ntry: cli.main(['--help'])\nexcept SystemExit: print(sorted(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=True)
    assert "serve the API" in ended.stdout
    heavy = {"strawberry", "sqlalchemy", "openai", "uvicorn", "procrastinate", "tiktoken", "alembic"}
    assert [name for name in heavy if f"'{name}'" in ended.stdout] == []


def test_the_schema_command_prints_the_published_schema(settings: dict[str, str]):
    ended = run(settings, "schema")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (ROOT / "schema.graphql").read_text(encoding="utf-8")


async def test_a_token_speaks_for_whom_and_as_long_as_it_was_asked_to(settings: dict[str, str]):
    ended = run(settings, "token", "--user", "ada", "--email", "ada@example.com", "--ttl", "2")
    now = utc_now()
    claims = await local_authenticator(SECRET, now=lambda: now).authenticate(ended.stdout.strip())
    assert (claims.subject, claims.email, claims.email_verified) == ("ada", "ada@example.com", True)
    assert abs(claims.expires_at - now - timedelta(hours=2)) < timedelta(minutes=1)


@pytest.mark.parametrize("ttl", ["0", "1.5", "999999999999"])
def test_a_token_that_could_never_be_used_is_not_made(settings: dict[str, str], ttl: str):
    ended = run(settings, "token", "--user", "ada", "--ttl", ttl)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "whole number of hours" in ended.stderr


def test_a_server_that_asks_an_identity_provider_accepts_no_tokens_of_ours(settings: dict[str, str]):
    provider = {
        "SCRIPTORIUM_JWT_JWKS_URL": "https://id.example/keys",
        "SCRIPTORIUM_JWT_ISSUER": "https://id.example/",
        "SCRIPTORIUM_JWT_AUDIENCE": "books",
    }
    assert "sign in there" in refusal({**settings, **provider}, "token", "--user", "ada")


@pytest.mark.parametrize("command", ["serve", "worker", "migrate"])
def test_a_setting_that_cannot_be_used_is_one_clear_sentence(settings: dict[str, str], command: str):
    assert "SCRIPTORIUM_LEASE_SECONDS must be" in refusal({**settings, "SCRIPTORIUM_LEASE_SECONDS": "soon"}, command)


def test_an_option_is_checked_like_the_setting_it_stands_for(settings: dict[str, str]):
    assert "PORT must be" in refusal(settings, "serve", "--port", "99999")
    assert "SCRIPTORIUM_WORKERS_IN_PROCESS must be" in refusal(settings, "serve", "--workers-in-process", "-1")


def test_production_does_not_start_with_what_development_makes_up(settings: dict[str, str]):
    production = {**settings, "SCRIPTORIUM_ENV": "production"}
    assert "In production set OPENAI_API_KEY" in refusal(production, "serve")
    assert "In production set SCRIPTORIUM_JWT_SECRET" in refusal({**production, "SCRIPTORIUM_JWT_SECRET": ""}, "serve")


def test_a_port_in_use_is_said_before_anything_is_started(settings: dict[str, str], tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"Port {port} is in use" in refusal(settings, "serve", "--port", str(port))
    assert not (tmp_path / "data" / "postgres").exists()


def test_an_address_that_is_not_of_this_machine_is_refused(settings: dict[str, str]):
    assert "Cannot listen on 192.0.2.1" in refusal(settings, "serve", "--host", "192.0.2.1", "--port", "0")


def test_a_database_that_does_not_answer_is_one_clear_sentence(settings: dict[str, str]):
    settings |= {"DATABASE_URL": f"postgresql://ada:hunter2@127.0.0.1:{free_port()}/books", "PORT": "0"}
    said = refusal(settings, "serve")
    assert "Check DATABASE_URL" in said
    assert "hunter2" not in said


def test_migrate_says_that_it_is_done(settings: dict[str, str], owner_url: str):
    settings |= {"DATABASE_URL": owner_url}
    ended = run(settings, "migrate")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "The database is up to date.\n", "")


def test_the_doctor_finds_a_good_installation_good(settings: dict[str, str], owner_url: str):
    ended = run({**settings, "DATABASE_URL": owner_url}, "doctor")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "!" not in ended.stdout
    assert all(subject in ended.stdout for subject in ("Python", "tokenizer", "model: rehearsal", "Postgres", "row security"))


def test_the_doctor_finds_everything_that_is_wrong_and_says_what_to_do(settings: dict[str, str]):
    ended = run(
        {
            **settings,
            "DATABASE_URL": f"postgresql://ada:hunter2@127.0.0.1:{free_port()}/books",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{free_port()}/v1",
            "SCRIPTORIUM_MODEL": "llama3.2",
        },
        "doctor",
    )
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "check OPENAI_BASE_URL" in ended.stdout
    assert "Check DATABASE_URL" in ended.stdout
    assert "hunter2" not in ended.stdout


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("books.example", "http://books.example:8000"),
    ],
)
def test_a_server_is_shown_at_an_address_that_can_be_opened(host: str, address: str):
    assert local_address(host, 8000) == address


def test_serve_welcomes_with_what_one_needs_and_leaves_nothing_behind(settings: dict[str, str], owner_url: str):
    settings |= {"DATABASE_URL": owner_url}
    with started(settings, "serve", "--host", "0.0.0.0", "--port", "0", until="Ctrl-C") as (process, printed):
        address = re.search(r"ready at (\S+)", printed)
        token = re.search(r"^  (ey\S+)$", printed, re.MULTILINE)
        assert address is not None
        assert token is not None
        assert address[1].startswith("http://127.0.0.1:")
        assert "rehearsal: no language model is called" in printed
        asked = httpx2.post(
            f"{address[1]}/graphql",
            json={"query": "{ viewer { user { name } } }"},
            headers={"Authorization": f"Bearer {token[1]}"},
            timeout=SECONDS,
        )
        assert asked.json()["data"]["viewer"]["user"]["name"] == "Author"
        assert ends(process, signal.SIGINT) == (130, "")
    assert connections(owner_url) == 0


def test_a_server_in_the_background_of_a_script_says_as_well_that_it_was_interrupted(settings: dict[str, str], owner_url: str):
    settings |= {"DATABASE_URL": owner_url}
    with started(settings, "serve", "--port", "0", until="Ctrl-C", by=IN_THE_BACKGROUND) as (process, _):
        assert ends(process, signal.SIGINT) == (130, "")
    assert connections(owner_url) == 0


def test_a_server_waits_for_no_stream_when_it_is_told_to_stop(settings: dict[str, str], owner_url: str):
    settings |= {"DATABASE_URL": owner_url, "SCRIPTORIUM_REHEARSAL_WORDS_PER_SECOND": "1"}
    with started(settings, "serve", "--port", "0", until="Ctrl-C") as (process, printed):
        address, token = re.search(r"ready at (\S+)", printed), re.search(r"^  (ey\S+)$", printed, re.MULTILINE)
        assert address is not None
        assert token is not None
        with httpx2.Client(base_url=address[1], headers={"Authorization": f"Bearer {token[1]}"}, timeout=SECONDS) as client:

            def change(document: str, **given: object) -> Any:
                (payload,) = client.post("/graphql", json={"query": document, "variables": {"input": given}}).json()["data"].values()
                return payload

            project = change(documents.CREATE_PROJECT, title="The Lighthouse", genre="MYSTERY")["project"]
            chapter = change(documents.CREATE_CHAPTER, projectId=project["id"], title="Low water", targetWordCount=500)["chapter"]
            job = change(documents.START, chapterId=chapter["id"])["job"]
            body = {"query": documents.EVENTS, "variables": {"jobId": job["id"]}}
            with client.stream("POST", "/graphql", json=body, headers={"Accept": "text/event-stream"}) as response:
                pieces = response.iter_text()
                said = next(piece for piece in pieces if "event: next" in piece)
                assert ends(process, signal.SIGTERM) == (0, "")
                said += "".join(pieces)
    assert "event: complete" not in said


def test_in_production_the_welcome_has_no_token_and_every_line_of_the_log_is_json(settings: dict[str, str], owner_url: str):
    settings |= {"DATABASE_URL": owner_url, "SCRIPTORIUM_ENV": "production", "SCRIPTORIUM_MODEL": "rehearsal"}
    with started(settings, "serve", "--port", "0", until="Ctrl-C") as (process, printed):
        assert "GraphiQL" not in printed
        assert not re.search(r"\bey\w+\.", printed)
        code, rest = ends(process, signal.SIGTERM)
    assert code == 0
    assert all(orjson.loads(line)["event"] for line in rest.splitlines() if line.strip())


def test_a_worker_stops_in_order_when_it_is_told_to(settings: dict[str, str], owner_url: str):
    with started({**settings, "DATABASE_URL": owner_url}, "worker", until="Working.") as (process, _):
        assert ends(process, signal.SIGTERM) == (0, "")
    assert connections(owner_url) == 0


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Unlike pytest's own, one that the account may enter as which root's server runs."""
    with tempfile.TemporaryDirectory(prefix="scriptorium-tests-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_the_embedded_database_goes_with_the_server_that_started_it(settings: dict[str, str], open_folder: Path):
    settings |= {"SCRIPTORIUM_DATA_DIR": str(open_folder)}
    with started(settings, "serve", "--port", "0", until="Ctrl-C") as (process, _):
        (postmaster,) = open_folder.rglob("postmaster.pid")
        pid = int(postmaster.read_text().splitlines()[0])
        assert ends(process, signal.SIGTERM) == (0, "")
    assert gone(pid)


def gone(pid: int) -> bool:
    """Within a few seconds: the supervisor leaves a successor the time to take the database over."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        readable, *_ = select.select([descriptor], [], [], SECONDS)
        return bool(readable)
    finally:
        os.close(descriptor)
