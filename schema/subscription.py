"""The root of subscriptions: decode ids, delegate."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry
from strawberry import ID, UNSET

from domain.jobs.events import RecordedEvent
from domain.jobs.job import Job
from resolvers import jobs
from schema import ids
from schema.fields import Info, argument, subscription
from schema.job_events import JobEvent
from schema.paging import After, read_sequence


@strawberry.type(description="What happens, as it happens. A stream ends with an error when the viewer may no longer see what it is about.")
class Subscription:
    @subscription(
        JobEvent,
        "A job's log from behind `after`, from its start without it, live until the job ends; then the stream completes.",
    )
    @staticmethod
    async def job_events(
        info: Info, job_id: Annotated[ID, argument("The job.")], after: After = UNSET
    ) -> AsyncGenerator[RecordedEvent, None]:
        events = jobs.follow(info.context, ids.require(Job, job_id, "jobId"), after=read_sequence(after))
        async with aclosing(events):
            async for event in events:
                yield event
