"""The Node interface: everything that has an id."""

from typing import Any, ClassVar

import strawberry
from strawberry import ID, Parent

from schema import ids
from schema.fields import field


@strawberry.interface(
    description="Something with an id of its own, to be asked for again by `node`. What does not exist and what the viewer may not see are answered alike."
)
class Node:
    shows: ClassVar[type[ids.Entity]]

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, cls.shows)

    @field(ID, "Opaque, stable, unique among all entities, safe in addresses.")
    @staticmethod
    def id(parent: Parent[Any]) -> ID:
        return ids.encode(type(parent), parent.id)  # type: ignore[arg-type]  # every class is hashable
