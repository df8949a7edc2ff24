"""Operations on the served schema, executed by graphql-core on made-up data, with what they use counted as they run."""

import random
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLResolveInfo,
    build_schema,
    execute_sync,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from schema.build import build_schema as build_served_schema
from schema.edge.cost.model import CostModel

SERVED = build_served_schema()
MODEL = CostModel(SERVED._schema)
SCHEMA = build_schema(SERVED.as_str())
CONNECTION_ITEMS = ("edges", "nodes")


@dataclass
class MadeUp:
    """An object. `page` is how many items a connection has at most."""

    type_name: str
    page: int = 0


@dataclass
class Counting:
    """Lists as long as they can be, and nothing null; or else short ones, and some nulls."""

    draw: random.Random
    full: bool
    used: int = 0

    def run(self, document: DocumentNode, variables: dict[str, Any], operation_name: str | None = None) -> int:
        """Raises unless the operation could be executed."""
        result = execute_sync(
            SCHEMA,
            document,
            variable_values=variables,
            operation_name=operation_name,
            field_resolver=self._resolve,
            type_resolver=lambda value, *_: value.type_name,
        )
        assert result.errors is None, result.errors
        return self.used

    def _resolve(self, source: MadeUp | None, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        declared = MODEL.field(info.parent_type.name, info.field_name)
        self.used += declared.call
        kind = get_named_type(info.return_type)
        if is_leaf_type(kind):
            return self._leaf(info)
        if is_list_type(get_nullable_type(info.return_type)):
            most = source.page if source and info.field_name in CONNECTION_ITEMS else self._size(declared, arguments)
            count = most if self.full else self.draw.randint(0, min(most, 2))
            self.used += declared.item * count
            return [self._object(kind) for _ in range(count)]
        if not self.full and not is_non_null_type(info.return_type) and self.draw.random() < 0.2:
            return None
        self.used += declared.item
        made = self._object(kind)
        made.page = self._size(declared, arguments) if kind.name.endswith("Connection") else 0
        return made

    def _size(self, declared: Any, arguments: dict[str, Any]) -> int:
        asked = [arguments[each.name] for each in declared.sized_by if arguments.get(each.name) is not None]
        sizes = [len(value) if isinstance(value, list) else value for value in asked]
        return max(sizes, default=declared.size)

    def _object(self, kind: Any) -> MadeUp:
        return MadeUp(self.draw.choice(SCHEMA.get_possible_types(kind)).name if is_abstract_type(kind) else kind.name)

    def _leaf(self, info: GraphQLResolveInfo) -> Any:
        if is_list_type(get_nullable_type(info.return_type)):
            return []
        kind = get_named_type(info.return_type)
        if isinstance(kind, GraphQLEnumType):
            return next(iter(kind.values))
        return {"Int": 1, "Float": 1.0, "Boolean": True}.get(kind.name, "text")
