"""The steps of the main story, as a client takes them."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from commands.demo import documents
from commands.demo.client import Client

Event = dict[str, Any]
AT_A_TIME = 5

JOB = """
query Job($id: ID!) {
  job(id: $id) {
    id status stage progress attempt text lastEventCursor rehearsal remark
    failure { code message retryable }
    waiting { limitName limit required message }
    result { ... on ChapterVersion { id origin text wordCount number receipt { tokensUsed } } }
    usage { calls promptTokens completionTokens cost unpricedCalls uncertainCalls }
    steps { name status model uncertain usage { calls completionTokens } }
    estimate { low high priced }
  }
}
"""
CHAPTER = """
query Chapter($id: ID!) {
  chapter(id: $id) {
    status
    currentVersion { id number text origin wordCount tokenCount rehearsal receipt { digest tokensUsed items { label } } job { id } }
    versions { totalCount nodes { number origin text } }
  }
}
"""


async def new_chapter(client: Client, *, brief: str = "Mara finds the letter.", **project: Any) -> str:
    """The id of an empty chapter in a new project."""
    fields = {"title": "The Lighthouse", "genre": "MYSTERY", "settings": {"maxRevisions": 0}, **project}
    made = await client.change(documents.CREATE_PROJECT, **fields)
    chapter = await client.change(
        documents.CREATE_CHAPTER, projectId=made["project"]["id"], title="Low water", brief=brief, targetWordCount=60
    )
    return str(chapter["chapter"]["id"])


async def start(client: Client, chapter_id: str, **options: Any) -> str:
    return str((await client.change(documents.START, chapterId=chapter_id, **options))["job"]["id"])


async def watch(client: Client, job_id: str, *, after: str | None = None, until: Callable[[Event], bool] = lambda _: False) -> list[Event]:
    """The job's events from the cursor on, to their end or the first that `until` accepts."""
    seen = []
    async with client.follow(documents.EVENTS, jobId=job_id, after=after) as events:
        async for data in events:
            seen.append(data["jobEvents"])
            if until(seen[-1]):
                break
    return seen


async def watch_all(client: Client, job_ids: Sequence[str], *, until: Callable[[Event], bool] = lambda _: False) -> list[list[Event]]:
    """As `watch`, in the order of the jobs; a few at a time, for each takes a connection and a user may have only so many."""
    places = asyncio.Semaphore(AT_A_TIME)

    async def one(job_id: str) -> list[Event]:
        async with places:
            return await watch(client, job_id, until=until)

    return await asyncio.gather(*(one(job_id) for job_id in job_ids))


def has_text(event: Event) -> bool:
    return event["__typename"] == "TextAppended"


def shown_text(events: list[Event]) -> str:
    text = ""
    for event in events:
        if event["__typename"] in {"TextAppended", "TextReplaced"}:
            text = text[: event["offset"]] + event["text"]
    return text


def names(events: list[Event]) -> list[str]:
    return [event["__typename"] for event in events]


async def job(client: Client, job_id: str) -> dict[str, Any]:
    return dict((await client.ask(JOB, id=job_id))["job"])


async def chapter(client: Client, chapter_id: str) -> dict[str, Any]:
    return dict((await client.ask(CHAPTER, id=chapter_id))["chapter"])
