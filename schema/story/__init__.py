"""The guided story: one GraphQL document per step, with the variables it starts from."""

from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Tab:
    """What one GraphiQL tab opens with: a document, and its variables as JSON text."""

    query: str
    variables: str = "{}"


def read_story() -> tuple[Tab, ...]:
    """The steps in their order; a step without a `.json` beside its `.graphql` takes no variables."""
    return tuple(_read_step(path) for path in sorted(_FOLDER.glob("*.graphql")))


def _read_step(path: Path) -> Tab:
    query = path.read_text(encoding="utf-8")
    variables = path.with_suffix(".json")
    return Tab(query, variables.read_text(encoding="utf-8")) if variables.exists() else Tab(query)
