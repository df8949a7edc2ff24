"""The evidence of a run, gathered when everything has come to rest: what the database holds, what the API tells, what people saw."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from schema.ids import decode
from tests.fakes.model_server import ScriptedModelServer
from tests.reliability.chaos.authors import Author, Story
from tests.reliability.chaos.postgres import RestlessPostgres
from tests.reliability.chaos.records import BudgetSeen, Evidence, Witness, calls_heard, read_records
from tests.reliability.chaos.writer import Writer
from tests.server.story import shown_text

QUIET_SECONDS = 60
LOOK_SECONDS = 0.5
TEXT = "query Text($id: ID!) { job(id: $id) { text } }"
MONEY = "query Money($id: ID!) { project(id: $id) { budget { spent reserved } } }"


async def until_quiet(postgres: RestlessPostgres, model: ScriptedModelServer) -> None:
    """Until the calls of processes that were frozen have ended and spare messages have been taken, or that takes too long."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + QUIET_SECONDS
    while loop.time() < give_up:
        open_calls = [call for call in model.calls if not (call.finished.is_set() or call.disconnected.is_set())]
        if not open_calls and not (await asyncio.to_thread(read_records, postgres.url)).waiting_messages:
            return
        await asyncio.sleep(LOOK_SECONDS)


async def testimony(stories: Sequence[Story], authors: Mapping[str, Author], postgres: RestlessPostgres, writer: Writer) -> Evidence:
    texts: dict[UUID, str] = {}
    budgets: dict[UUID, BudgetSeen] = {}
    for story in stories:
        author = authors[story.plan.user]
        for job_id in set(story.answered):
            texts[uuid_of(job_id)] = (await author.ask(TEXT, id=job_id))["text"]
        if (project := uuid_of(story.project_id)) not in budgets:
            budget = (await author.ask(MONEY, id=story.project_id))["budget"]
            budgets[project] = BudgetSeen(spent=Decimal(budget["spent"]), reserved=Decimal(budget["reserved"]))
    stored = await asyncio.to_thread(read_records, postgres.url)
    witnesses = [_witness(story) for story in stories]
    return stored.with_testimony(calls=calls_heard(writer.heard), witnesses=witnesses, texts=texts, budgets=budgets)


def uuid_of(global_id: str) -> UUID:
    decoded: Any = decode(global_id)
    return UUID(int=decoded[1].int)


def _witness(story: Story) -> Witness:
    followed = story.plan.followed
    return Witness(
        code=story.plan.code,
        answered=[uuid_of(job_id) for job_id in story.answered],
        sequences=[event["sequence"] for event in story.events] if followed else None,
        text=shown_text(story.events) if followed else None,
        complaints=story.complaints,
    )
