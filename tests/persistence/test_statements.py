"""What SQLAlchemy composes arrives at the driver with its contents at their positions, and constants are compiled once."""

from uuid import uuid4

import pytest
from sqlalchemy import Uuid, bindparam, delete, insert, select, text, update

from persistence.projection import any_of, is_one_of
from persistence.statements import prepared
from persistence.tables.books import chapter, project

ID = bindparam("this", type_=Uuid)


def test_a_constant_is_compiled_once() -> None:
    statement = select(chapter.c.id).where(any_of(chapter.c.id, "ids"))
    assert prepared(statement, {"ids": []}) is prepared(statement, {"ids": [uuid4()]})


def test_an_update_writes_the_columns_it_is_given() -> None:
    statement, this = update(chapter).where(chapter.c.id == ID), uuid4()
    title, both = {"title": "x", "this": this}, {"brief": "y", "title": "x", "this": this}
    assert "SET title=$1::VARCHAR WHERE chapter.id = $2::UUID" in " ".join(prepared(statement, title).sql.split())
    assert prepared(statement, title).arguments(title) == ["x", this]
    assert sorted(map(str, prepared(statement, both).arguments(both))) == sorted(["x", "y", str(this)])


def test_a_parameter_that_stands_twice_is_sent_once() -> None:
    statement = text("SELECT :number + :number, :other")
    assert prepared(statement, {}).sql == "SELECT $1 + $1, $2"
    assert prepared(statement, {}).arguments({"other": 1, "number": 2}) == [2, 1]


def test_documents_become_text_and_nothing_stays_nothing() -> None:
    row = {"id": uuid4(), "settings": {"model": "m"}, "genre_override": None}
    assert prepared(insert(project), row).arguments(row) == [row["id"], '{"model":"m"}', None]


def test_what_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError, match="this"):
        prepared(select(chapter.c.id).where(chapter.c.id == ID), {}).arguments({})


def test_names_of_our_own_stand_in_the_statement_so_that_partial_indexes_are_found() -> None:
    assert "IN ('QUEUED', 'RUNNING')" in prepared(select(chapter.c.id).where(is_one_of(chapter.c.status, ("QUEUED", "RUNNING"))), {}).sql


@pytest.mark.parametrize(
    ("statement", "answers"),
    [
        (select(chapter.c.id), True),
        (delete(chapter), False),
        (delete(chapter).returning(chapter.c.id), True),
        (text("SELECT 1"), True),
        (text(" UPDATE job SET epoch = 1"), False),
        (text("UPDATE job SET epoch = 1 RETURNING id"), True),
        (text("WITH a AS (SELECT 1) UPDATE job SET epoch = 1"), True),
    ],
)
def test_only_what_may_answer_rows_is_asked_for_them(statement: object, answers: bool) -> None:
    assert prepared(statement, {}).answers_rows is answers  # type: ignore[arg-type]
