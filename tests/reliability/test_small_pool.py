"""No operation waits for a connection while it keeps another from those who wait: however few there are, all are answered."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from persistence.database import Database
from tests.api import Api, serving

QUERIES = 200
MUTATIONS = 40
# Long before the pool itself would give up, and long enough for a busy machine.
PATIENCE_SECONDS = 45

NESTED = """
    query($id: ID!, $chapter: ID!) {
        projects { totalCount nodes {
            title progress { chapters } members { role user { name } }
            chapters(first: 3) { totalCount nodes { title versions(first: 1) { totalCount nodes { text } } currentVersion { text } } }
            referenceFiles { totalCount }
        } }
        node(id: $id) { ... on Project { chapters { totalCount nodes { jobs { totalCount } } } } }
        chapter(id: $chapter) { title currentVersion { text assessment { score } } }
        viewer { user { name } jobs { totalCount nodes { id } } }
    }
"""
# The payload of the first is read in a transaction that the second must not wait for.
TWO_CHANGES = """
    mutation($id: ID!, $title: String!) {
        first: updateChapter(input: {id: $id, title: $title}) { chapter { title versions { totalCount } } errors { message } }
        second: updateChapter(input: {id: $id, brief: $title}) { chapter { title brief project { chapters { totalCount } } } errors { message } }
    }
"""


@pytest.fixture(params=[1, 10])
def connections(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
async def crowded(database_url: str, connections: int) -> AsyncIterator[Api]:
    database = Database(database_url, pool_size=connections)
    async with serving(database) as api:
        yield api
    await database.close()


@pytest.mark.timeout(120)
async def test_two_hundred_nested_queries_and_mutations_among_them_all_end(crowded: Api, connections: int):
    project = await crowded.project()
    chapters = [await crowded.chapter(project, title=f"Chapter {number}") for number in range(4)]
    await crowded.mutate("saveChapterText", "id", chapterId=chapters[0], text="The tide went out.")

    async def query(_number: int) -> None:
        found = await crowded.ask(NESTED, id=project, chapter=chapters[0])
        assert found["projects"]["nodes"][0]["chapters"]["totalCount"] == len(chapters)

    async def change(number: int) -> None:
        found = await crowded.ask(TWO_CHANGES, id=chapters[1 + number % 3], title=f"Title {number}")
        assert [payload["errors"] for payload in found.values()] == [[], []]

    async def leave(number: int) -> None:
        """As a client does that hangs up somewhere on the way."""
        leaving = asyncio.create_task(query(number))
        for _ in range(number):
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])

    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        for number in range(QUERIES):
            group.create_task(query(number) if number % 10 else leave(number))
            if number % (QUERIES // MUTATIONS) == 0:
                group.create_task(change(number))
    pool = crowded.database._pool
    async with asyncio.timeout(PATIENCE_SECONDS):
        taken = [await pool.take() for _ in range(connections)]
    for driver in taken:
        assert not driver.is_in_transaction()
        pool.give_back(driver)
