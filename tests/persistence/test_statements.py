"""What SQLAlchemy composes arrives at the driver with its contents at their positions, and constants are compiled once."""

import gc
from itertools import combinations
from uuid import uuid4

import pytest
from sqlalchemy import Uuid, bindparam, delete, insert, select, text, update

from persistence.projection import any_of, is_one_of
from persistence.statements import _PREPARED, KEPT_SHAPES, prepared
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


def test_an_update_is_compiled_once_for_the_columns_it_is_given_whatever_their_order() -> None:
    statement, this = update(chapter).where(chapter.c.id == ID), uuid4()
    one, other = {"title": "x", "brief": "y", "this": this}, {"this": this, "brief": "b", "title": "a"}
    assert prepared(statement, one) is prepared(statement, other)
    assert prepared(statement, one).arguments(other) == ["a", "b", this]
    assert prepared(statement, {"title": "x", "this": this}) is not prepared(statement, one)


def test_what_is_given_does_not_shape_a_statement_that_only_reads_or_deletes() -> None:
    for statement in (select(chapter.c.id).where(chapter.c.id == ID), delete(chapter).where(chapter.c.id == ID), text("SELECT :this")):
        assert prepared(statement, {}) is prepared(statement, {"this": uuid4(), "title": "x"})


def test_a_statement_that_brings_its_columns_along_writes_those_and_no_others_when_nothing_is_given() -> None:
    statement = update(chapter).values(position=chapter.c.position + 1).where(chapter.c.id == uuid4())
    assert prepared(statement, {}).sql.startswith("UPDATE chapter SET position=(chapter.position + $1::INTEGER) WHERE")
    assert prepared(statement, {}) is prepared(statement, {})
    with_title = prepared(statement, {"title": "x"})
    assert "title=" in with_title.sql
    assert "title=" not in prepared(statement, {}).sql


def test_what_is_given_goes_before_what_the_statement_brings_along() -> None:
    """As SQLAlchemy itself has it."""
    statement = update(chapter).values(title="its own")
    given = {"title": "given"}
    assert prepared(statement, {}).arguments({}) == ["its own"]
    assert prepared(statement, given).arguments(given) == ["given"] == [statement.compile().construct_params(given)["title"]]
    assert prepared(statement, {}).arguments({}) == ["its own"]


def test_a_bounded_number_of_shapes_is_kept_of_each_statement() -> None:
    statement, this = update(project).where(project.c.id == ID), uuid4()
    names = [column.name for column in project.c]
    shapes = [[*chosen, "this"] for size in (1, 2, 3) for chosen in combinations(names, size)]
    assert len(shapes) > KEPT_SHAPES
    for shape in shapes:
        given = dict.fromkeys(shape, this)
        assert f"{shape[0]}=$1" in prepared(statement, given).sql
    assert len(_PREPARED[statement]) == KEPT_SHAPES
    newest = dict.fromkeys(shapes[-1], this)
    assert prepared(statement, newest) is prepared(statement, newest)


def test_nothing_is_kept_of_a_statement_that_is_gone() -> None:
    gc.collect()
    before = len(_PREPARED)
    statement = select(chapter.c.id).where(chapter.c.id == uuid4())
    prepared(statement, {})
    assert len(_PREPARED) == before + 1
    del statement
    gc.collect()
    assert len(_PREPARED) == before


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
