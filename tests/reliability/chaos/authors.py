"""People in front of the application: they start jobs, follow them, cancel some, take up again what failed, and ask until answered.

A request that is refused, cut or not answered in time goes to another server, a start under the same key; a broken subscription goes on
behind the last event that arrived.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx2
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import Close

from commands.demo import documents
from commands.demo.client import ApiError, Client
from domain.jobs.job import JobKind
from tests.reliability.chaos.plan import ChapterPlan, Whim
from tests.reliability.chaos.writer import instructions_for
from tests.server.running import token_for

ANSWER_SECONDS = 6
SILENCE_SECONDS = 4
PAUSE_SECONDS = 0.25
LOOK_SECONDS = 0.5
RETRIES = 6
LITTLE_MONEY = "0.004"

BREAKDOWNS = (ApiError, httpx2.HTTPError, WebSocketException, OSError, TimeoutError, ValueError)
"""What can happen to a question on its way, or be answered by a server whose database is away."""

FINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
STARTS: Mapping[JobKind, str] = {
    JobKind.CHAPTER: "startChapterGeneration",
    JobKind.REVISION: "startChapterRevision",
    JobKind.ASSESSMENT: "startAssessment",
}
START = """
mutation Start($input: {input}!) {{
  {mutation}(input: $input) {{ job {{ id }} errors {{ code message }} }}
}}
"""
CANCEL = "mutation Cancel($input: JobInput!) { cancelJob(input: $input) { job { id } errors { code message } } }"
RETRY = "mutation Retry($input: JobInput!) { retryJob(input: $input) { job { id } errors { code message } } }"
CHANGE_LIMIT = (
    "mutation Limit($input: ChangeJobCostLimitInput!) { changeJobCostLimit(input: $input) { job { id } errors { code message } } }"
)
STATE = "query State($id: ID!) { job(id: $id) { status failure { code } } }"
# Refusals that end by themselves: money and places become free when other jobs end.
FOR_NOW = frozenset({"BUDGET_EXCEEDED", "LIMIT_EXCEEDED"})

Event = dict[str, Any]


class GaveUp(Exception):  # noqa: N818  - what a person does
    """No answer within a patience that outlasts every fault."""


@dataclass(eq=False)
class Story:
    """What one job looked like from outside. `version_id` and `finding_ids` are what it is to assess or to revise. `answered` are the ids that its start was answered with, `complaints` what was wrong."""

    plan: ChapterPlan
    project_id: str
    chapter_id: str
    version_id: str = ""
    finding_ids: Sequence[str] = ()
    answered: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    status: str | None = None
    retries: int = 0
    seconds: float = 0.0


@dataclass
class Author:
    """`addresses` says which servers there are just now. `troubles` counts what stood in the way of an answer."""

    name: str
    addresses: Callable[[], Sequence[str]]
    random: Random
    patience_seconds: float
    troubles: Counter[str] = field(default_factory=Counter)
    _clients: dict[str, Client] = field(default_factory=dict)

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def ask(self, document: str, **variables: object) -> Any:
        """The one field that the document asks for. Raises GaveUp."""
        trouble: Exception | None = None
        try:
            async with asyncio.timeout(self.patience_seconds):
                while True:
                    try:
                        async with asyncio.timeout(ANSWER_SECONDS):
                            (answer,) = (await self._client().ask(document, **variables)).values()
                            return answer
                    except BREAKDOWNS as error:
                        trouble = error
                        self.troubles[_named(error)] += 1
                    await asyncio.sleep(PAUSE_SECONDS)
        except TimeoutError:
            raise GaveUp(f"no answer in {self.patience_seconds:g} seconds, at last: {trouble!r}") from None

    async def live_through(self, story: Story) -> None:
        """From the first request to the job's last end. What goes wrong is put down in the story."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self.patience_seconds):
                await self._start(story)
                await self._until_content(story)
        except TimeoutError:
            story.complaints.append(f"the job did not come to its end within {self.patience_seconds:g} seconds")
        except GaveUp as reason:
            story.complaints.append(str(reason))
        story.seconds = loop.time() - began

    async def _start(self, story: Story) -> None:
        plan = story.plan
        mutation = STARTS[plan.kind]
        document = START.format(mutation=mutation, input=f"{mutation[0].upper()}{mutation[1:]}Input")
        given = _asked_for(story)
        for _ in range(plan.sent_times):
            while True:
                answer = await self.ask(document, input=given)
                if not answer["errors"]:
                    break
                if answer["errors"][0]["code"] not in FOR_NOW:
                    raise GaveUp(f"the start was refused: {answer['errors']}")
                self.troubles[answer["errors"][0]["code"]] += 1
                await asyncio.sleep(LOOK_SECONDS)
            story.answered.append(answer["job"]["id"])

    async def _until_content(self, story: Story) -> None:
        """To the end of the job, and on as long as it failed or ended by a whim that has passed."""
        whim = story.plan.whim
        while True:
            if whim is not Whim.NONE:
                await asyncio.gather(self._cancel_after_a_while(story), self._to_the_end(story))
            else:
                await self._to_the_end(story)
            wants_more = story.status == "FAILED" or (story.status == "CANCELLED" and whim is Whim.CANCEL_AND_RETRY)
            if not wants_more:
                return
            if story.retries == RETRIES:
                raise GaveUp(f"the job was still {story.status} after {RETRIES} retries")
            whim = Whim.NONE
            story.retries += 1
            await self._retry(story)

    async def _cancel_after_a_while(self, story: Story) -> None:
        await asyncio.sleep(story.plan.whim_after)
        await self.ask(CANCEL, input={"jobId": story.answered[0]})

    async def _retry(self, story: Story) -> None:
        """Refused when an earlier request, whose answer was lost, has done it already."""
        while True:
            answer = await self.ask(RETRY, input={"jobId": story.answered[0]})
            if not answer["errors"] or answer["errors"][0]["code"] not in FOR_NOW:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _to_the_end(self, story: Story) -> None:
        job_id = story.answered[0]
        if story.plan.followed:
            await self._follow(story)
        while (state := await self.ask(STATE, id=job_id))["status"] not in FINAL:
            if state["status"] == "WAITING":
                await self._lift_limit(story)
            await asyncio.sleep(LOOK_SECONDS)
            if story.plan.followed:  # it was taken up again
                await self._follow(story)
        story.status = state["status"]
        if state["failure"]:
            self.troubles[f"job failed: {state['failure']['code']}"] += 1

    async def _lift_limit(self, story: Story) -> None:
        self.troubles["job waited for money"] += 1
        await self.ask(CHANGE_LIMIT, input={"jobId": story.answered[0], "costLimit": None})

    async def _follow(self, story: Story) -> None:
        """Until the stream says that it is complete behind the job's last event."""
        while True:
            known = len(story.events)
            try:
                await self._read(story)
            except BREAKDOWNS as error:
                self.troubles[f"subscription: {_named(error)}"] += 1
            else:
                if story.events and story.events[-1]["__typename"] == "JobFinished":
                    return
                self.troubles["subscription: ended early"] += 1
            if _status_told(story.events) == "WAITING":
                await self._lift_limit(story)
            elif len(story.events) == known:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _read(self, story: Story) -> None:
        events, cursor = story.events, story.events[-1]["cursor"] if story.events else None
        async with asyncio.timeout(ANSWER_SECONDS) as deadline:
            following = self._client().follow(documents.EVENTS, jobId=story.answered[0], after=cursor)
            async with following as arriving:
                async for data in arriving:
                    event = data["jobEvents"]
                    if event["sequence"] != len(events) + 1:
                        story.complaints.append(f"event {event['sequence']} was delivered behind event {len(events)}")
                    events.append(event)
                    deadline.reschedule(asyncio.get_running_loop().time() + SILENCE_SECONDS)

    def _client(self) -> Client:
        addresses = self.addresses()
        if not addresses:
            raise ConnectionRefusedError
        address = self.random.choice(addresses)
        if address not in self._clients:
            self._clients[address] = Client(address, token_for(self.name))
        return self._clients[address]


def _asked_for(story: Story) -> Mapping[str, object]:
    key = {"idempotencyKey": story.plan.key}
    match story.plan.kind:
        case JobKind.ASSESSMENT:
            return {**key, "versionId": story.version_id}
        case JobKind.REVISION:
            return {**key, "versionId": story.version_id, "findingIds": story.finding_ids, "instructions": "Dim it."}
    thrift = {"costLimit": LITTLE_MONEY} if story.plan.thrifty else {}
    return {**key, "chapterId": story.chapter_id, "instructions": instructions_for(story.plan.code), **thrift}


def _status_told(events: Sequence[Event]) -> str | None:
    return next((event["status"] for event in reversed(events) if event["__typename"] == "JobStatusChanged"), None)


def _named(error: Exception) -> str:
    match error:
        case ApiError():
            return f"ApiError: {error}"
        case ConnectionClosed(rcvd=Close(code=code)):
            return f"closed with {code}"
        case _:
            return type(error).__name__
