"""What statements answer, and what is done and undone in the middle of a transaction."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from persistence.connection import Connection
from persistence.database import Database

NUMBERS = text("SELECT number FROM numbers ORDER BY number")
ADD = text("INSERT INTO numbers VALUES (:number)")


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    """In a transaction with a table that it takes along."""
    async with database.as_worker() as connection:
        await connection.execute(text("CREATE TEMPORARY TABLE numbers (number integer) ON COMMIT DROP"))
        yield connection


async def add(connection: Connection, number: int) -> None:
    await connection.execute(ADD, {"number": number})


async def has_savepoint(connection: Connection) -> bool:
    """Whether one is left over. Nothing can be executed after that where there is none."""
    try:
        await connection.execute(text("RELEASE SAVEPOINT nested"))
    except DBAPIError as error:
        assert 'savepoint "nested" does not exist' in str(error)  # noqa: PT017
        await connection.execute(text("ROLLBACK"))
        return False
    return True


@pytest.mark.parametrize("number", [0, 2])
async def test_one_row_is_neither_none_nor_several(connection: Connection, number: int) -> None:
    rows = await connection.execute(text("SELECT generate_series(1, :number)"), {"number": number})
    for take in (rows.one, rows.scalar_one):
        with pytest.raises(ValueError, match="values to unpack"):
            take()


async def test_one_row_or_none_is_never_several(connection: Connection) -> None:
    assert (await connection.execute(text("SELECT 1 WHERE false"))).one_or_none() is None
    assert tuple((await connection.execute(text("SELECT 1"))).one_or_none() or ()) == (1,)
    with pytest.raises(ValueError, match="values to unpack"):
        (await connection.execute(text("SELECT generate_series(1, 2)"))).one_or_none()


async def test_the_rows_that_a_statement_answers_or_changes_are_counted(connection: Connection) -> None:
    async def count(statement: str) -> int:
        return (await connection.execute(text(statement))).rowcount

    assert await count("INSERT INTO numbers SELECT generate_series(1, 12)") == 12
    assert await count("SELECT number FROM numbers") == 12
    assert await count("SELECT number FROM numbers WHERE number > 12") == 0
    assert await count("UPDATE numbers SET number = number + 1 WHERE number > 2") == 10
    assert await count("UPDATE numbers SET number = 0 WHERE number > 99") == 0
    assert await count("UPDATE numbers SET number = 0 WHERE number < 3 RETURNING number") == 2
    assert await count("DELETE FROM numbers") == 12


async def test_what_ends_well_in_the_middle_of_a_transaction_leaves_no_savepoint(connection: Connection) -> None:
    async with connection.begin_nested():
        await add(connection, 1)
        async with connection.begin_nested():
            await add(connection, 2)
    assert await connection.scalars(NUMBERS) == [1, 2]
    assert not await has_savepoint(connection)


async def test_what_fails_in_the_middle_of_a_transaction_is_undone_and_leaves_no_savepoint(connection: Connection) -> None:
    async def fail() -> None:
        async with connection.begin_nested():
            await add(connection, 2)
            await connection.execute(text("SELECT 1 / 0"))

    await add(connection, 1)
    for _ in range(3):
        with pytest.raises(DBAPIError, match="division by zero"):
            await fail()
    await add(connection, 3)
    assert await connection.scalars(NUMBERS) == [1, 3]
    assert not await has_savepoint(connection)


async def test_what_fails_after_something_in_it_has_failed_is_undone_as_a_whole(connection: Connection) -> None:
    async def fail_inside() -> None:
        async with connection.begin_nested():
            await add(connection, 3)
            raise KeyError("inner")

    async def fail() -> None:
        async with connection.begin_nested():
            await add(connection, 2)
            with pytest.raises(KeyError, match="inner"):
                await fail_inside()
            assert await connection.scalars(NUMBERS) == [1, 2]
            raise KeyError("outer")

    await add(connection, 1)
    with pytest.raises(KeyError, match="outer"):
        await fail()
    assert await connection.scalars(NUMBERS) == [1]
    assert not await has_savepoint(connection)
