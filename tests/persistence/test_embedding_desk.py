"""Whose turn it is to be embedded, and the books of calls for vectors."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest

from domain.access import Membership, Role
from domain.spending import LimitName
from persistence.embedding_desk import PostgresEmbeddingDesk
from tests.factories import NOON, a_version, add_chapters, add_project, add_user
from tests.persistence.embedding_world import COST, EXPECTED_COST, MODEL, USAGE, a_call, key

VECTORS = {key(1): b"\x00" * 8}


@pytest.fixture
def desk(database):
    return PostgresEmbeddingDesk(database, monthly_limit=None)


@pytest.fixture
async def ada(library):
    return await add_user(library)


async def take(desk, *, model=MODEL, chapters=20, seconds=60.0):
    return await desk.take_turn(model=model, chapters=chapters, seconds=seconds)


async def read(library, user, project):
    async with library.reading(user.id) as records:
        return await records.chapters.of_project(project.id)


async def usage(library, user, project):
    async with library.reading(user.id) as records:
        return (await records.spending.report_of_projects([project.id], since=None, until=None))[project.id].total


async def test_a_project_with_chapters_is_taken_up_by_one_on_behalf_of_its_owner(library, desk, ada):
    project = await add_project(library, ada)
    chapters = await add_chapters(library, ada, project, 3)
    turns = await asyncio.gather(*(take(desk) for _ in range(8)))
    (turn,) = [turn for turn in turns if turn is not None]
    assert (turn.project_id, turn.user_id, set(turn.chapter_ids)) == (project.id, ada.id, {chapter.id for chapter in chapters})


async def test_the_owner_who_has_been_there_longest_pays(library, desk, ada):
    project = await add_project(library, ada)
    other = await add_user(library, "Ben")
    async with library.writing(ada.id) as records:
        await records.projects.add_member(Membership(project.id, other.id, Role.OWNER, NOON + timedelta(days=1)))
    await add_chapters(library, ada, project, 1)
    taken = await take(desk)
    assert taken.user_id == ada.id


async def test_what_has_waited_longest_comes_first_and_no_more_chapters_than_wanted(library, desk, ada):
    new, old = await add_project(library, ada), await add_project(library, ada)
    await add_chapters(library, ada, new, 1)
    chapters = [
        replace(chapter, updated_at=NOON - timedelta(hours=number))
        for number, chapter in enumerate(await add_chapters(library, ada, old, 3), start=1)
    ]
    async with library.writing(ada.id) as records:
        for chapter in chapters:
            await records.chapters.update(chapter.id, {"updated_at": chapter.updated_at})
    turn = await take(desk, chapters=2)
    assert (turn.project_id, turn.chapter_ids) == (old.id, (chapters[2].id, chapters[1].id))
    assert (await take(desk)).project_id == new.id


async def test_what_is_done_comes_up_again_when_it_changes_and_not_before(library, desk, ada):
    project = await add_project(library, ada)
    first, _ = await add_chapters(library, ada, project, 2)
    await take(desk, seconds=0)
    await desk.done(await read(library, ada, project), model=MODEL)
    assert await take(desk) is None
    async with library.writing(ada.id) as records:
        await records.versions.add(a_version(first), make_current=True)
    assert (await take(desk, seconds=0)).chapter_ids == (first.id,)
    await desk.done(await read(library, ada, project), model=MODEL)
    assert await take(desk) is None
    async with library.writing(ada.id) as records:
        await records.chapters.update(first.id, {"brief": "Other.", "updated_at": NOON + timedelta(seconds=1)})
    assert (await take(desk, seconds=0)).chapter_ids == (first.id,)


async def test_what_changed_while_it_was_embedded_comes_up_again(library, desk, ada):
    project = await add_project(library, ada)
    (chapter,) = await add_chapters(library, ada, project, 1)
    as_read = await read(library, ada, project)
    async with library.writing(ada.id) as records:
        await records.versions.add(a_version(chapter), make_current=True)
    await desk.done(as_read, model=MODEL)
    assert (await take(desk)).chapter_ids == (chapter.id,)


async def test_another_model_begins_anew(library, desk, ada):
    project = await add_project(library, ada)
    await add_chapters(library, ada, project, 1)
    await desk.done(await read(library, ada, project), model=MODEL)
    assert await take(desk) is None
    assert await take(desk, model="another") is not None


async def test_passages_of_an_older_format_come_up_again_and_those_of_a_newer_one_do_not(library, desk, ada, owner_url):
    project = await add_project(library, ada)
    await add_chapters(library, ada, project, 1)
    await desk.done(await read(library, ada, project), model=MODEL)
    for change, is_due in (("- 1", True), ("+ 2", False)):
        with psycopg.connect(owner_url) as connection:
            connection.execute(f"UPDATE embedded_chapter SET format = format {change}")
        assert (await take(desk, seconds=0) is not None) is is_due


async def test_a_chapter_that_is_deleted_meanwhile_is_not_missed(library, desk, ada):
    project = await add_project(library, ada)
    await add_chapters(library, ada, project, 1)
    (chapter,) = await read(library, ada, project)
    async with library.writing(ada.id) as records:
        await records.projects.delete(project.id)
    await desk.done([chapter], model=MODEL)
    await desk.rest(project.id, seconds=1)
    assert await take(desk) is None


async def test_archived_projects_are_left_alone(library, desk, ada):
    project = await add_project(library, ada, archived_at=NOON)
    await add_chapters(library, ada, project, 1)
    assert await take(desk) is None


async def test_a_project_is_left_alone_until_its_time_is_over(library, desk, ada):
    project = await add_project(library, ada)
    await add_chapters(library, ada, project, 1)
    assert await take(desk) is not None
    assert await take(desk) is None
    await desk.rest(project.id, seconds=0)
    assert await take(desk) is not None
    await desk.rest(project.id, seconds=3600)
    assert await take(desk) is None


async def test_only_keys_without_a_vector_are_lacking(library, desk, ada):
    project, other = await add_project(library, ada), await add_project(library, ada)
    await desk.record(a_call(ada, project), usage=USAGE, cost=None, vectors=VECTORS, at=NOON)
    assert await desk.lacking(project.id, [key(1), key(2)], model=MODEL) == {key(2)}
    assert await desk.lacking(project.id, [key(1)], model="another") == {key(1)}
    assert await desk.lacking(other.id, [key(1)], model=MODEL) == {key(1)}
    assert await desk.lacking(other.id, [], model=MODEL) == set()


async def test_a_call_is_held_as_uncertain_and_then_costs_what_it_cost_once(library, desk, ada, owner_url):
    project = await add_project(library, ada)
    call = a_call(ada, project)
    for _ in range(2):
        assert await desk.hold(call, at=NOON) is None
    held = await usage(library, ada, project)
    assert (held.calls, held.prompt_tokens, held.cost, held.uncertain_calls) == (1, 120, EXPECTED_COST, 1)
    for _ in range(2):
        await desk.record(call, usage=USAGE, cost=COST, vectors=VECTORS, at=NOON)
    spent = await usage(library, ada, project)
    assert (spent.calls, spent.prompt_tokens, spent.cost, spent.uncertain_calls, spent.unpriced_calls) == (1, 100, COST, 0, 0)
    with psycopg.connect(owner_url) as connection:
        entries = connection.execute("SELECT DISTINCT user_id, job_id, step, epoch, model, call_id FROM ledger_entry").fetchall()
    assert entries == [(ada.id, None, "embedding", 0, MODEL, call.id)]


async def test_what_is_given_back_costs_nothing(library, desk, ada):
    project = await add_project(library, ada)
    call = a_call(ada, project)
    await desk.hold(call, at=NOON)
    for _ in range(2):
        await desk.give_back(call, at=NOON)
    spent = await usage(library, ada, project)
    assert (spent.calls, spent.cost, spent.uncertain_calls) == (0, 0, 0)


@pytest.mark.parametrize("limit", [LimitName.BUDGET_LIMIT, LimitName.MONTHLY_LIMIT])
async def test_limits_are_held_however_many_calls_ask_at_once(library, database, ada, limit):
    budget = Decimal("1.000000")
    desk = PostgresEmbeddingDesk(database, monthly_limit=budget if limit is LimitName.MONTHLY_LIMIT else None)
    project = await add_project(library, ada, budget_limit=budget if limit is LimitName.BUDGET_LIMIT else None)
    at = await _now(database)
    answers = await asyncio.gather(*(desk.hold(a_call(ada, project), at=at) for _ in range(8)))
    assert [answer for answer in answers if answer is None] == [None] * 3
    assert {answer.name for answer in answers if answer is not None} == {limit}
    assert (await usage(library, ada, project)).cost == 3 * EXPECTED_COST


async def test_a_model_without_a_price_is_counted_and_held_to_no_limit(library, desk, ada):
    project = await add_project(library, ada, budget_limit=Decimal("0.000000"))
    call = a_call(ada, project, cost=None)
    assert await desk.hold(call, at=NOON) is None
    await desk.record(call, usage=USAGE, cost=None, vectors=VECTORS, at=NOON)
    spent = await usage(library, ada, project)
    assert (spent.calls, spent.cost, spent.unpriced_calls) == (1, 0, 1)


async def test_who_has_paid_is_on_record_when_the_project_is_deleted_meanwhile(library, desk, ada, owner_url):
    project = await add_project(library, ada)
    call = a_call(ada, project)
    await desk.hold(call, at=NOON)
    async with library.writing(ada.id) as records:
        await records.projects.delete(project.id)
    await desk.record(call, usage=USAGE, cost=COST, vectors=VECTORS, at=NOON)
    async with library.reading(ada.id) as records:
        assert (await records.spending.report_of_user(since=None, until=None)).total.cost == COST
    with psycopg.connect(owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM passage_vector").fetchone() == (0,)


def test_the_ledger_takes_no_other_call_without_a_job(owner_url):
    with psycopg.connect(owner_url) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("""
            INSERT INTO ledger_entry (at, user_id, step, epoch, model, calls, prompt_tokens, cached_prompt_tokens, completion_tokens,
                                      estimated, uncertain)
            VALUES (now(), gen_random_uuid(), 'draft', 1, 'm', 1, 0, 0, 0, false, false)
        """)


async def _now(database):
    from sqlalchemy import text

    async with database.as_worker() as connection:
        return await connection.scalar(text("SELECT now()"))
