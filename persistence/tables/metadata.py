"""What all tables share: their registry, their constraints' names, and the few column types the domain's values need."""

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from typing import ClassVar

from sqlalchemy import CheckConstraint, DateTime, MetaData, Numeric
from sqlmodel import SQLModel

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

TIMESTAMP = DateTime(timezone=True)
MONEY: Numeric[Decimal] = Numeric(12, 6)


class TableModel(SQLModel):
    """Tables of this project only, whatever else in the process uses SQLModel."""

    metadata: ClassVar[MetaData] = metadata


def one_of(column: str, values: Iterable[Enum]) -> CheckConstraint:
    """The column holds the name of an enum's member. Text with a constraint: unlike a database enum, it changes inside a transaction."""
    listed = ", ".join(f"'{value.value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)
