"""Statements as Postgres takes them: what SQLAlchemy composes, compiled once, with positions in the places of names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy import ClauseElement, Delete, Insert, TextClause, Update
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.compiler import SQLCompiler

from persistence.construction import Convert

# asyncpg takes JSON as text (persistence/connection.py), be it a document or what a statement casts itself.
_DIALECT = PGDialect_asyncpg(json_serializer=lambda document: orjson.dumps(document).decode())  # type: ignore[no-untyped-call]
_CHANGING = ("INSERT", "UPDATE", "DELETE")
KEPT_SHAPES = 256
"""Of each statement, by the columns that it writes: which of them a request changes is up to whoever asks, and n columns make 2^n."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """`fixed` are contents that the statement brings along, by the names of its parameters; the execution gives the others."""

    sql: str
    parameters: tuple[tuple[str, Convert | None], ...]
    fixed: Mapping[str, Any]
    answers_rows: bool

    def arguments(self, given: Mapping[str, Any]) -> list[Any]:
        """In the order of their positions; what is given goes before what is fixed. Raises KeyError for one that is missing."""
        contents = {**self.fixed, **given} if self.fixed else given
        return [contents[name] if convert is None else convert(contents[name]) for name, convert in self.parameters]


_PREPARED: WeakKeyDictionary[ClauseElement, dict[frozenset[str], Prepared]] = WeakKeyDictionary()


def prepared(statement: ClauseElement, given: Mapping[str, Any]) -> Prepared:
    """Constants are compiled once; which columns an INSERT or UPDATE without values of its own writes, `given` says."""
    columns = frozenset(given) if isinstance(statement, (Insert, Update)) else frozenset()
    known = _PREPARED.get(statement)
    if known is None:
        known = _PREPARED[statement] = {}
    if columns not in known:
        if len(known) == KEPT_SHAPES:
            del known[next(iter(known))]
        known[columns] = _compile(statement, columns)
    return known[columns]


def _compile(statement: ClauseElement, columns: frozenset[str]) -> Prepared:
    compiled = statement.compile(dialect=_DIALECT, column_keys=sorted(columns) or None)
    assert isinstance(compiled, SQLCompiler)
    names = tuple(compiled.positiontup or ())
    binds = {name: compiled.binds.get(name) for name in names}
    contents = compiled.params
    return Prepared(
        sql=compiled.string,
        parameters=tuple((name, None if bind is None else _converter(bind.type)) for name, bind in binds.items()),
        fixed={name: contents[name] for name, bind in binds.items() if bind is None or not bind.required},
        answers_rows=_answers_rows(statement, compiled),
    )


def _converter(type_: Any) -> Convert | None:
    convert: Convert | None = type_.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    return convert


def _answers_rows(statement: ClauseElement, compiled: SQLCompiler) -> bool:
    if isinstance(statement, TextClause):
        return not (statement.text.lstrip().startswith(_CHANGING) and "RETURNING" not in statement.text)
    return not isinstance(statement, (Insert, Update, Delete)) or bool(compiled.effective_returning)
