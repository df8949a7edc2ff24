"""Keyset pages: of one list, or of many parents' lists in one statement.

A page is cut out of a list by comparing rows of ordering values, which an index on those columns answers without reading what comes
before. Whether anything lies before or after is known exactly: one row more than asked for is read at the far end, and one `exists`
looks beyond each bound that the request itself names.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, overload
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Table,
    Uuid,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal,
    null,
    select,
    true,
    tuple_,
)

from domain.errors import InvalidInput
from domain.paging import Cursor, Page, PageRequest
from persistence.connection import Connection
from persistence.projection import Columns, any_of, columns_of, value_maker

Item = TypeVar("Item")

Statement = Select[*tuple[Any, ...]]

_FIRST = 3
"""Where in a row an item's columns begin."""
_LARGEST_INTEGER = {"INTEGER": 2**31 - 1, "BIGINT": 2**63 - 1}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listing(Generic[Item]):
    """A list of `value_type`, kept in `table`: best a constant, for it keeps the statements that were built from it.

    `order` are NOT NULL columns or expressions, the last one unique within the list; all ascend, or all descend.
    `parent` is the column that names the list an item belongs to, when there are several. Parameters that `where` leaves open
    are given when a page is read.
    """

    value_type: type[Item]
    table: Table
    order: tuple[ColumnElement[Any], ...]
    where: tuple[ColumnElement[bool], ...] = ()
    parent: ColumnElement[UUID] | None = None
    descending: bool = False
    statements: dict[tuple[bool, ...], Statement] = field(default_factory=dict, init=False, repr=False)
    places: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", _places(self))


async def read_pages(
    connection: Connection, listing: Listing[Item], parents: Sequence[UUID], request: PageRequest, **parameters: object
) -> dict[UUID, Page[Item]]:
    """A page for each of `parents`, empty where there is nothing to see. Raises InvalidInput for a cursor of another list."""
    if not parents:
        return {}
    unique = list(dict.fromkeys(parents))
    rows = await connection.execute(_statement(listing, request, many=True), {**_bounds(listing, request), **parameters, "parents": unique})
    rows_of: dict[UUID, list[Columns]] = {parent: [] for parent in parents}
    for row in rows:
        rows_of[row[0]].append(row)
    return {parent: _page(listing, request, of_parent) for parent, of_parent in rows_of.items()}


async def read_page(connection: Connection, listing: Listing[Item], request: PageRequest, **parameters: object) -> Page[Item]:
    """Raises InvalidInput for a cursor of another list."""
    rows = await connection.execute(_statement(listing, request, many=False), {**_bounds(listing, request), **parameters})
    return _page(listing, request, rows.all())


async def count_items(connection: Connection, listing: Listing[Any], parents: Sequence[UUID], **parameters: object) -> dict[UUID, int]:
    """How long each parent's list is."""
    if not parents:
        return {}
    rows = await connection.execute(_count_statement(listing), {**parameters, "parents": list(parents)})
    return {**dict.fromkeys(parents, 0), **{row[0]: row[1] for row in rows}}


def _statement(listing: Listing[Any], request: PageRequest, *, many: bool) -> Statement:
    shape = (request.after is not None, request.before is not None, request.backwards, many)
    if shape not in listing.statements:
        listing.statements[shape] = _build(listing, request, many=many)
    return listing.statements[shape]


def _count_statement(listing: Listing[Any]) -> Statement:
    assert listing.parent is not None
    if () not in listing.statements:
        of_parents = any_of(listing.parent, "parents")
        counted: Statement = select(listing.parent, func.count()).where(of_parents, *listing.where).group_by(listing.parent)
        listing.statements[()] = counted
    return listing.statements[()]


def _build(listing: Listing[Any], request: PageRequest, *, many: bool) -> Statement:
    """Rows of (parent, anything up to `after`, anything from `before` on, *value, *what else is ordered by), one at least for every parent."""
    parents, of_parent = _parents(listing) if many else (select(null().label("id")).subquery("parent"), true())
    row = tuple_(*listing.order)
    in_list = and_(of_parent, *listing.where)
    bounds, passed, to_come = [in_list], _flag(), _flag()
    if request.after is not None:
        after = _bound_row(listing, "after")
        bounds.append(row < after if listing.descending else row > after)
        passed = _flag(in_list, row >= after if listing.descending else row <= after, parents=parents, table=listing.table)
    if request.before is not None:
        before = _bound_row(listing, "before")
        bounds.append(row > before if listing.descending else row < before)
        to_come = _flag(in_list, row <= before if listing.descending else row >= before, parents=parents, table=listing.table)
    downwards = listing.descending != request.backwards
    item = (
        select(*(column.label(f"item_{index}") for index, column in enumerate(_columns(listing))))
        .where(*bounds)
        .order_by(*(column.desc() if downwards else column.asc() for column in listing.order))
        .limit(bindparam("rows", type_=Integer))
        .correlate(parents)
        .lateral("item")
    )
    return select(parents.c.id, passed, to_come, *item.c).select_from(parents.outerjoin(item, true()))


def _parents(listing: Listing[Any]) -> tuple[FromClause, ColumnElement[bool]]:
    assert listing.parent is not None
    ids = func.unnest(bindparam("parents", type_=ARRAY(Uuid))).table_valued("id", name="parent").render_derived()
    return ids, listing.parent == ids.c.id


def _bound_row(listing: Listing[Any], argument: str) -> Any:
    return tuple_(*(bindparam(f"{argument}_{index}", type_=column.type) for index, column in enumerate(listing.order)))


def _flag(*conditions: ColumnElement[bool], parents: FromClause | None = None, table: Table | None = None) -> ColumnElement[bool]:
    if parents is None or table is None:
        return false()
    return exists(select(literal(1)).select_from(table).where(*conditions).correlate(parents))


def _columns(listing: Listing[Any]) -> list[ColumnElement[Any]]:
    """The value's, and what its order needs beside them."""
    columns: list[ColumnElement[Any]] = [*columns_of(listing.value_type, listing.table)]  # type: ignore[arg-type]  # every class is hashable
    return columns + [column for column in listing.order if not any(column is other for other in columns)]


def _places(listing: Listing[Any]) -> tuple[int, ...]:
    """Where in a row the ordering values are."""
    columns = _columns(listing)
    return tuple(next(_FIRST + index for index, other in enumerate(columns) if other is column) for column in listing.order)


def _page(listing: Listing[Item], request: PageRequest, rows: Sequence[Columns]) -> Page[Item]:
    passed, to_come = (rows[0][1], rows[0][2]) if rows else (False, False)
    places = listing.places
    last = places[-1]
    found = [row for row in rows if row[last] is not None]  # a parent without items has a row of nothing
    more = len(found) > request.limit
    if more:
        del found[request.limit :]
    if request.backwards:
        found.reverse()
    return Page(
        items=tuple(map(value_maker(listing.value_type, first=_FIRST), found)),
        cursors=Cursors(found, places),
        has_next=to_come or (more and not request.backwards),
        has_previous=passed or (more and request.backwards),
    )


class Cursors(Sequence[Cursor]):
    """Those of some rows. Most are never asked for, so that each is made when it is."""

    __slots__ = ("_places", "_rows")

    def __init__(self, rows: Sequence[Columns], places: tuple[int, ...]) -> None:
        self._rows = rows
        self._places = places

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Cursor: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Cursor, ...]: ...
    def __getitem__(self, index: int | slice) -> Cursor | tuple[Cursor, ...]:
        if isinstance(index, slice):
            return tuple(map(self._cursor, self._rows[index]))
        return self._cursor(self._rows[index])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))

    def _cursor(self, row: Columns) -> Cursor:
        return tuple(_to_cursor(row[place]) for place in self._places)


def _to_cursor(content: Any) -> str | int:
    if isinstance(content, datetime):
        return content.isoformat(timespec="microseconds")
    return content if isinstance(content, int) else str(content)


def _bounds(listing: Listing[Any], request: PageRequest) -> dict[str, Any]:
    """The parameters that say where the page is. Raises InvalidInput."""
    bounds: dict[str, Any] = {"rows": request.limit + 1}
    for argument, cursor in (("after", request.after), ("before", request.before)):
        if cursor is not None:
            try:
                contents = [_from_cursor(content, column) for content, column in zip(cursor, listing.order, strict=True)]
            except (ValueError, OverflowError):
                raise InvalidInput("This cursor does not belong to this list.", (argument,)) from None
            bounds.update({f"{argument}_{index}": content for index, content in enumerate(contents)})
    return bounds


def _from_cursor(content: object, column: ColumnElement[Any]) -> Any:
    """Raises ValueError or OverflowError for what the column could not hold: a cursor comes from outside."""
    kind = column.type.python_type
    if kind is int and type(content) is int and abs(content) <= _LARGEST_INTEGER.get(str(column.type), 0):
        return content
    if isinstance(content, str) and "\x00" not in content:
        content.encode()
        if kind is str:
            return content
        if kind is UUID:
            return UUID(content)
        if kind is datetime and (at := datetime.fromisoformat(content)).tzinfo is not None:
            return at.astimezone(UTC)
    raise ValueError(content)
