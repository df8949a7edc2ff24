"""The rules of CONTRIBUTING.md that no linter knows. Each failure names the modules to mend."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGES = ("schema", "resolvers", "domain", "persistence", "commands")
LONGEST_MODULE = 350
NAMES_THAT_SAY_NOTHING = frozenset({"util", "utils", "helper", "helpers", "common", "base", "core", "misc", "manager", "managers"})
THE_ONE_MANAGER = "domain/jobs/task_manager.py"
AT_HOME = {
    "openai": ("domain/llm/openai_model.py",),
    "tiktoken": ("domain/llm/tokens.py",),
    "jose": ("resolvers/authentication.py",),
    "sqlalchemy": ("persistence/",),
    "sqlmodel": ("persistence/",),
    "asyncpg": ("persistence/",),
    "psycopg": ("persistence/",),
    "procrastinate": ("persistence/",),
    "alembic": ("persistence/",),
}


@dataclass(frozen=True)
class Module:
    """`name` is its path in the checkout."""

    name: str
    source: str

    def nodes(self) -> Iterator[ast.AST]:
        return ast.walk(ast.parse(self.source))

    def imported(self) -> set[str]:
        """The first parts of the names it imports, wherever in the module it does so."""
        found = set()
        for node in self.nodes():
            match node:
                case ast.Import(names=names):
                    found |= {alias.name.split(".")[0] for alias in names}
                case ast.ImportFrom(module=str(module), level=0):
                    found.add(module.split(".")[0])
        return found


@cache
def modules() -> tuple[Module, ...]:
    """What is shipped."""
    paths = [*CHECKOUT.glob("*.py"), *(path for package in PACKAGES for path in (CHECKOUT / package).rglob("*.py"))]
    return tuple(Module(path.relative_to(CHECKOUT).as_posix(), path.read_text(encoding="utf-8")) for path in sorted(paths))


def puts_values_into_sql(call: ast.Call) -> bool:
    """Whether `text(f"…")` interpolates anything but constants of a module, which are written in capitals."""
    if ast.unparse(call.func).rpartition(".")[2] != "text":
        return False
    parts = [part.value for argument in call.args for part in ast.walk(argument) if isinstance(part, ast.FormattedValue)]
    return not all(isinstance(part, ast.Name) and part.id.isupper() for part in parts)


def test_there_are_modules_to_look_at():
    assert len(modules()) > 100


def test_no_module_is_longer_than_one_reads_at_once():
    assert [module.name for module in modules() if len(module.source.splitlines()) > LONGEST_MODULE] == []


def test_every_module_says_first_what_it_is_for():
    assert [module.name for module in modules() if not ast.get_docstring(ast.parse(module.source))] == []


def test_no_module_is_named_for_nothing_in_particular():
    nameless = [module.name for module in modules() if NAMES_THAT_SAY_NOTHING.intersection(Path(module.name).stem.split("_"))]
    assert nameless == [THE_ONE_MANAGER]


@pytest.mark.parametrize("library", AT_HOME)
def test_a_library_is_imported_only_where_it_is_at_home(library: str):
    importers = [module.name for module in modules() if library in module.imported()]
    assert importers
    assert [name for name in importers if not name.startswith(AT_HOME[library])] == []


def test_only_the_unit_of_work_commits():
    committing = [module.name for module in modules() if ".commit(" in module.source]
    assert [name for name in committing if name != "persistence/database.py"] == []


def test_no_value_is_put_into_sql_but_as_a_parameter():
    calls = [(module.name, node) for module in modules() for node in module.nodes() if isinstance(node, ast.Call)]
    assert [f"{name}:{call.lineno}" for name, call in calls if puts_values_into_sql(call)] == []


@pytest.mark.parametrize(
    ("statement", "is_refused"),
    [
        ("text(f'SELECT {value}')", True),
        ("sqlalchemy.text('SELECT ' + f'{row.name}')", True),
        ("text(f'LISTEN {CHANNEL}')", False),
        ("text('SELECT :value')", False),
    ],
)
def test_a_value_in_sql_would_be_noticed(statement: str, is_refused: bool):
    assert puts_values_into_sql(ast.parse(statement, mode="eval").body) is is_refused


def test_the_folder_of_migrations_does_not_shadow_the_library():
    assert [path.name for path in (CHECKOUT / "alembic").rglob("__init__.py")] == [], "delete it: `import alembic` would find our folder"
