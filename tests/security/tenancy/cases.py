"""The rows of the matrix, generated from the schema: root fields, `node` by every kind, fields that take an id, and every type of object."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Final

from tests.security.tenancy.arguments import Choose, Path, arguments_of, fields_of, needs_id, takes_id
from tests.security.tenancy.documents import OPERATIONS, Step, document, possible_types, selection
from tests.security.tenancy.rights import RIGHTS, Right, place_of
from tests.server.served_schema import ENTITIES

Things = Mapping[str, str]
"""Somebody's ids, by what they are of."""

ANYTHING = Step("Query", "nodes")
ONE_THING = Step("Query", "node")
DEPTH: Final = 2


@dataclass(frozen=True)
class Case:
    """Asks for what is at the end of `steps`. With `kind`, only for objects of that type."""

    label: str
    steps: tuple[Step, ...]
    right: Right
    kind: str | None = None

    def __str__(self) -> str:
        return self.label

    @property
    def operation(self) -> str:
        return OPERATIONS[self.steps[0].owner]

    @property
    def role(self) -> str | None:
        return self.right.role

    @cached_property
    def document(self) -> str:
        gives = self.steps[-1].gives
        wanted = selection(gives, DEPTH) if self.kind is None else _only(self.kind)
        return document(self.steps, self._names, wanted)

    @cached_property
    def shallow_document(self) -> str:
        """The same without anything of what is there but its type."""
        wanted = "{ __typename }" if possible_types(self.steps[-1].gives) else ""
        return document(self.steps, self._names, wanted)

    @property
    def id_paths(self) -> tuple[Path, ...]:
        """Every place in the arguments where an id goes."""
        return tuple(self._id_places)

    def takes_many(self, path: Path) -> bool:
        return self._id_places[path]

    @cached_property
    def _id_places(self) -> Mapping[Path, bool]:
        """With whether there can be many ids."""
        found: dict[Path, bool] = {}

        def note(path: Path, _thing: str, many: bool) -> str:
            found[path] = many
            return ""

        self.variables(note)
        return found

    def variables(self, choose: Choose) -> dict[str, Any]:
        return {
            f"{step.field}_{name}": value for step in self.steps for name, value in arguments_of(step.owner, step.field, self.right, choose)
        }

    @property
    def _names(self) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(name for name, _ in arguments_of(step.owner, step.field, self.right, lambda *_: "")) for step in self.steps)


def _only(kind: str) -> str:
    object_type = next(each for each in possible_types(_routes()[kind][-1].gives) if each.name == kind)
    return f"{{ __typename ... on {kind} {selection(object_type, 1)} }}"


def root_cases() -> Iterator[Case]:
    """Of the fields that have a right; that all have one, and no others, is for a test to say."""
    for label, right in RIGHTS.items():
        step = Step(*place_of(label))
        if step.field not in fields_of(step.owner):
            continue
        if step == ONE_THING:
            for entity in sorted(ENTITIES):
                yield Case(f"{label} {entity}", (step,), replace(right, things={"id": entity}), entity)
        else:
            yield Case(label, (step,), right)


def nested_id_cases() -> Iterator[Case]:
    """Fields below the root that take an id."""
    for kind, route in _routes().items():
        for name, field in fields_of(kind).items():
            if takes_id(field):
                start = (ONE_THING,) if route == (ANYTHING,) else route
                right = RIGHTS[str(start[0])]
                yield Case(f"{kind}.{name}", (*start, Step(kind, name)), replace(right, things={**right.things, "id": kind}))


def type_cases() -> Iterator[Case]:
    """For every type of object that queries lead to, all of its fields."""
    for kind, route in _routes().items():
        yield Case(f"type {kind}", route, RIGHTS[str(route[0])], kind)


@cache
def _routes() -> Mapping[str, tuple[Step, ...]]:
    """The shortest way to each type of object: from entities, else from another root field."""
    routes: dict[str, tuple[Step, ...]] = dict.fromkeys(sorted(ENTITIES), (ANYTHING,))
    beginnings = [Step("Query", name) for name in fields_of("Query") if f"Query.{name}" in RIGHTS.keys() - {str(ANYTHING), str(ONE_THING)}]
    for step in beginnings:
        routes |= {kind.name: (step,) for kind in possible_types(step.gives) if kind.name not in routes}
    waiting = list(routes)
    for kind in waiting:
        for name, field in fields_of(kind).items():
            for found in possible_types(field.type):
                if found.name not in routes and not needs_id(field):
                    routes[found.name] = (*routes[kind], Step(kind, name))
                    waiting.append(found.name)
    return routes


ROOT_CASES: Final = tuple(root_cases())
NESTED_ID_CASES: Final = tuple(nested_id_cases())
TYPE_CASES: Final = tuple(type_cases())
EVERY_CASE: Final = (*ROOT_CASES, *NESTED_ID_CASES, *TYPE_CASES)
