"""What the documentation says is what the code does: settings, commands, codes, documents, and the README's whole story."""

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from cli import _parser
from domain.assessing.metrics.measuring import METRICS
from domain.paging import MAXIMUM_PAGE_SIZE
from schema.edge.errors import ErrorCode
from schema.edge.limits import Limits
from schema.enums import UserErrorCode
from scripts.story import SCENE_SECONDS, read_scenes, tell
from tests.server.running import running

CHECKOUT = Path(__file__).parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
TRANSPORTS = (CHECKOUT / "docs/transports.md").read_text(encoding="utf-8")
ASSESSMENTS = (CHECKOUT / "docs/assessments.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    path for path in CHECKOUT.rglob("*.md") if not {".venv", "node_modules", ".pytest_cache", "build"}.intersection(path.parts)
)
GRAPHQL = re.findall(r"^```graphql\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
PATHS_OF_ONE_MACHINE = re.compile(r"(?<![\w./:])(?:/(?:home|root|work|tmp|mnt|opt|Users)/|[A-Z]:\\)")
PACKAGE_INDEXES = re.compile(r"pypi\.org|pythonhosted|registry\.npmjs|index-url|artifactory|nexus|devpi", re.IGNORECASE)


def rows_of(heading: str, document: str = README) -> list[list[str]]:
    """The cells of the table whose first column is headed so, row by row."""
    lines = iter(document.splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            next(lines)
            break
    table = []
    for line in lines:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return table


def names_in(heading: str) -> list[str]:
    """What the table's first column names in code type."""
    return [name for row in rows_of(heading) for name in re.findall(r"`([^`]+)`", row[0])]


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))


def settings_read() -> list[str]:
    gets = [call for call in calls(CHECKOUT / "settings.py") if isinstance(call.func, ast.Name) and call.func.id == "get"]
    return [ast.literal_eval(call.args[0]) for call in gets]


def close_codes() -> set[int]:
    """Numbers that a socket is closed with: the first argument of `SocketClosing(...)` and of `.close(...)`."""
    return {
        call.args[0].value
        for path in (CHECKOUT / "schema/edge").glob("*.py")
        for call in calls(path)
        if ast.unparse(call.func).rpartition(".")[2] in {"SocketClosing", "close"}
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, int)
    }


def commands() -> dict[str, argparse.ArgumentParser]:
    (subcommands,) = (action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(subcommands.choices)


def test_the_settings_table_has_exactly_the_settings_that_are_read():
    assert sorted(names_in("setting")) == sorted(settings_read())


def test_the_table_of_metrics_says_what_the_metrics_say_of_themselves():
    said = {name: row[:3] for row in rows_of("metric", ASSESSMENTS) for name in re.findall(r"`([^`]+)`", row[0])}
    assert said == {metric.name: [f"`{metric.name}`", metric.description, metric.unit] for metric in METRICS}


def test_every_command_is_documented_with_all_its_options():
    documented = {text.split()[1]: text for text in names_in("command")}
    assert documented.keys() == commands().keys()
    for name, command in commands().items():
        options = {option for action in command._actions for option in action.option_strings if option.startswith("--")} - {"--help"}
        assert set(re.findall(r"--[\w-]+", documented[name])) == options, name


def test_every_reason_to_refuse_a_mutation_is_documented():
    assert sorted(names_in("`UserErrorCode`")) == sorted(code.name for code in UserErrorCode)


def test_every_code_of_an_error_is_documented():
    assert sorted(names_in("`extensions.code`")) == sorted(ErrorCode)


def test_every_code_a_socket_is_closed_with_is_documented():
    # 1012 is uvicorn's, when it is told to stop.
    assert {int(row[0]) for row in rows_of("close code")} == close_codes() | {1012}
    assert len(close_codes()) > 5


@pytest.mark.parametrize("document", GRAPHQL, ids=lambda document: document[:50])
def test_every_document_of_the_readme_fits_the_published_schema(document: str):
    schema = build_schema((CHECKOUT / "schema.graphql").read_text(encoding="utf-8"))
    assert validate(schema, parse(document)) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_documentation_holds_on_any_machine(path: Path):
    text = path.read_text(encoding="utf-8")
    assert PATHS_OF_ONE_MACHINE.findall(text) == []
    assert PACKAGE_INDEXES.findall(text) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_link_to_a_file_leads_somewhere(path: Path):
    links = re.findall(r"\]\((?!\w+:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.timeout(3 * SCENE_SECONDS)
async def test_the_readmes_conversation_goes_as_it_is_printed(database_url: str):
    scenes = read_scenes(README)
    assert [scene.document for scene in scenes] == GRAPHQL, "every GraphQL block has its answer right below"
    # Slow enough that words arrive one by one, and that the job is still writing when the story cancels it.
    rehearsing = running(database_url, rehearsal=True, model=None, openai_api_key=None, rehearsal_words_per_second=40)
    async with rehearsing as server, server.client() as ada:
        async for told in tell(ada, scenes):
            assert told.is_as_printed, f"{told.scene.document}\nis answered\n{told.answer}"


def test_the_limits_that_clients_are_told_are_those_that_hold():
    limits = Limits()
    rows = {row[0]: row[1] for row in rows_of("what", TRANSPORTS)}
    told = {name: [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", text)] for name, text in rows.items()}
    mebibyte, kibibyte = 1 << 20, 1 << 10
    assert list(told.values()) == [
        [limits.depth, limits.fields, limits.aliases, limits.root_fields, limits.directives],
        [limits.tokens, limits.anonymous_tokens, limits.characters, limits.operations],
        [limits.cost],
        [MAXIMUM_PAGE_SIZE],
        [limits.body_bytes // mebibyte, limits.anonymous_body_bytes // kibibyte],
        [limits.body_seconds, limits.query_seconds, limits.mutation_seconds],
        [limits.frame_bytes // mebibyte],
        [limits.messages_at_once, limits.messages_per_second],
        [limits.init_seconds],
        [limits.operations_per_socket, limits.connections_per_viewer, limits.streams_per_viewer],
        [limits.connection_seconds // 3600],
        [limits.send_seconds, limits.close_seconds],
    ]
