"""Chapters: their order, and what is planned for them."""

import asyncio

import psycopg
import pytest

from tests.api import uuid_of

ORDER = "query($id: ID!) { project(id: $id) { chapters(first: 100) { nodes { title position } } } }"
ALL = """title brief position pointOfViewCharacter targetWordCount status summary staleSince createdAt updatedAt
    currentVersion { number text origin wordCount author { name } job { id } parent { id } receipt { digest } rehearsal }
    project { title } versions { totalCount } jobs { totalCount }"""

MANY_CHAPTERS = """
    INSERT INTO chapter (id, project_id, position, title, brief, status, created_at, updated_at)
    SELECT gen_random_uuid(), %s, number, '', '', 'PLANNED', now(), now() FROM generate_series(1, %s) AS number
"""


async def order(api, project):
    """The titles in book order; fails unless the positions are 1, 2, 3 …"""
    nodes = (await api.ask(ORDER, id=project))["project"]["chapters"]["nodes"]
    assert [node["position"] for node in nodes] == list(range(1, len(nodes) + 1))
    return "".join(node["title"] for node in nodes)


@pytest.fixture
async def book(api):
    """A project with chapters A, B, C and D."""
    project = await api.project()
    return project, {title: await api.chapter(project, title=title) for title in "ABCD"}


async def test_a_chapter_is_planned_until_it_has_a_text(api):
    project = await api.project()
    assert await api.mutate("createChapter", ALL, projectId=project, title=" One ", brief="B", targetWordCount=5) == {
        "title": "One",
        "brief": "B",
        "position": 1,
        "pointOfViewCharacter": None,
        "targetWordCount": 5,
        "status": "PLANNED",
        "summary": None,
        "staleSince": None,
        "createdAt": "2026-03-01T12:00:00.000000Z",
        "updatedAt": "2026-03-01T12:00:00.000000Z",
        "currentVersion": None,
        "project": {"title": "The Lighthouse"},
        "versions": {"totalCount": 0},
        "jobs": {"totalCount": 0},
    }


async def test_a_chapter_created_with_a_text_has_its_first_version(api):
    chapter = await api.mutate("createChapter", ALL, projectId=await api.project(), title="One", text="It was night.\r\nIt rained.")
    assert chapter["status"] == "DRAFTED"
    assert chapter["currentVersion"] == {
        "number": 1,
        "text": "It was night.\nIt rained.",
        "origin": "AUTHOR",
        "wordCount": 5,
        "author": {"name": "Ada"},
        "job": None,
        "parent": None,
        "receipt": None,
        "rehearsal": False,
    }


@pytest.mark.parametrize(("position", "expected"), [(1, "XABCD"), (3, "ABXCD"), (5, "ABCDX"), (None, "ABCDX")])
async def test_a_new_chapter_goes_where_it_is_asked_to_or_to_the_end(api, book, position, expected):
    project, _ = book
    await api.chapter(project, title="X", position=position)
    assert await order(api, project) == expected


@pytest.mark.parametrize(("title", "position", "expected"), [("A", 4, "BCDA"), ("D", 1, "DABC"), ("B", 3, "ACBD"), ("C", 3, "ABCD")])
async def test_moving_a_chapter_makes_the_others_room(api, book, title, position, expected):
    project, chapters = book
    moved = await api.mutate("moveChapter", "position", id=chapters[title], position=position)
    assert moved["position"] == position
    assert await order(api, project) == expected


@pytest.mark.parametrize("position", [0, -1, 6])
async def test_a_chapter_cannot_go_beyond_the_book(api, book, position):
    project, chapters = book
    created = await api.refusal("createChapter", projectId=project, title="X", position=position)
    moved = await api.refusal("moveChapter", id=chapters["A"], position=position)
    assert [error["path"] for error in (created, moved)] == [["input", "position"]] * 2
    assert await order(api, project) == "ABCD"


async def test_the_place_behind_the_last_chapter_is_for_new_chapters_only(api, book):
    _, chapters = book
    assert (await api.refusal("moveChapter", id=chapters["A"], position=5))["code"] == "INVALID"


async def test_deleting_a_chapter_closes_the_gap(api, book):
    project, chapters = book
    assert await api.mutate("deleteChapter", None, id=chapters["B"]) == chapters["B"]
    assert await order(api, project) == "ACD"


async def test_changes_at_the_same_time_keep_the_order_whole(api, book):
    project, chapters = book
    await asyncio.gather(
        *(
            api.payload("moveChapter", "id", id=chapters[title], position=position)
            for title, position in zip("ABCD", (4, 1, 2, 3), strict=True)
        ),
        *(api.payload("createChapter", "id", projectId=project, title=title, position=1) for title in "XYZ"),
        api.payload("deleteChapter", None, id=chapters["C"]),
    )
    assert sorted(await order(api, project)) == list("ABDXYZ")


async def test_a_chapter_that_is_being_written_cannot_be_deleted(api, book):
    project, chapters = book
    job = await api.job(chapters["A"])
    error = await api.refusal("deleteChapter", id=chapters["A"])
    assert (error["__typename"], error["code"], error["job"]) == ("JobConflictError", "CONFLICT", {"id": job, "status": "QUEUED"})
    await api.mutate("cancelJob", "id", jobId=job)
    await api.mutate("deleteChapter", None, id=chapters["A"])
    assert await order(api, project) == "BCD"


async def test_what_is_planned_is_changed_and_cleared(api, book):
    _, chapters = book
    given = {"title": "New", "brief": "B", "pointOfViewCharacter": "Mara", "targetWordCount": 100, "status": "FINAL", "summary": "S"}
    api.clock.advance(hours=1)
    changed = await api.mutate("updateChapter", ALL, id=chapters["A"], **given)
    assert {name: changed[name] for name in given} == given
    assert changed["updatedAt"] == "2026-03-01T13:00:00.000000Z"
    cleared = await api.mutate("updateChapter", ALL, id=chapters["A"], pointOfViewCharacter=None, targetWordCount=None, summary=None)
    assert (cleared["pointOfViewCharacter"], cleared["targetWordCount"], cleared["summary"]) == (None, None, None)
    assert (cleared["title"], cleared["status"]) == ("New", "FINAL")


@pytest.mark.parametrize(
    "values",
    [
        {"title": ""},
        {"title": None},
        {"brief": None},
        {"brief": "x" * 20_001},
        {"status": None},
        {"summary": "x" * 20_001},
        {"pointOfViewCharacter": " "},
        {"targetWordCount": 0},
    ],
)
async def test_what_cannot_be_accepted_is_named_and_changes_nothing(api, book, values):
    project, chapters = book
    error = await api.refusal("updateChapter", id=chapters["A"], **values)
    assert (error["__typename"], error["path"]) == ("InvalidInputError", ["input", *values])
    assert await order(api, project) == "ABCD"


async def test_chapters_are_listed_by_status(api, book):
    project, chapters = book
    await api.mutate("updateChapter", "id", id=chapters["B"], status="FINAL")
    document = "query($id: ID!) { project(id: $id) { chapters(status: [FINAL, REVISED]) { totalCount nodes { title } } } }"
    assert (await api.ask(document, id=project))["project"]["chapters"] == {"totalCount": 1, "nodes": [{"title": "B"}]}


async def test_a_project_has_at_most_a_thousand_chapters(api, owner_url):
    project = await api.project()
    with psycopg.connect(owner_url) as connection:
        connection.execute(MANY_CHAPTERS, (uuid_of(project), 999))
    await api.chapter(project)
    error = await api.refusal("createChapter", projectId=project, title="One too many")
    assert (error["__typename"], error["limitName"], error["maximum"]) == ("LimitExceededError", "chapters", 1000)
