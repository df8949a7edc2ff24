"""The event log: appending to several jobs' logs in one statement, and events as rows and back.

Sequences have no gaps because they are counted in the job's row: whoever appends holds it until the commit. The row also remembers
the last numbered append, so that one whose answer was lost with its connection can be made again and is written once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from domain.jobs.events import Event, Finished, Progressed, RecordedEvent, StatusChanged, StepFinished, TextAppended, TextReplaced
from persistence.connection import Connection
from persistence.documents import from_document, to_document

EVENTS_CHANNEL = "scriptorium_events"
CANCELS_CHANNEL = "scriptorium_cancels"

_TYPES: Mapping[str, type[Event]] = {
    type_.__name__: type_ for type_ in (StatusChanged, Progressed, TextAppended, TextReplaced, StepFinished, Finished)
}

# Job rows are locked in the order of their ids, as every statement on several jobs does, so that two can never wait for each other.
# A notification holds at most 200 ids: its payload must stay below 8000 bytes.
_APPEND = text(f"""
    WITH batch AS MATERIALIZED (
        SELECT * FROM unnest(
            CAST(:jobs AS uuid[]), CAST(:epochs AS int[]), CAST(:kinds AS text[]), CAST(:bodies AS text[]),
            CAST(:stages AS text[]), CAST(:progress AS float8[])
        ) WITH ORDINALITY AS event (job_id, epoch, kind, body, stage, progress, position)
    ), total AS (
        SELECT job_id, epoch, count(*)::int AS events, max(progress) AS progress,
               (array_agg(stage ORDER BY position DESC) FILTER (WHERE stage IS NOT NULL))[1] AS stage
        FROM batch GROUP BY job_id, epoch
    ), held AS MATERIALIZED (
        SELECT job.id, total.events, total.progress, total.stage,
               coalesce((job.appended_epoch, job.appended_number) >= (job.epoch, CAST(:number AS int)), false) AS is_written
        FROM job JOIN total ON total.job_id = job.id AND total.epoch = job.epoch
        ORDER BY job.id FOR NO KEY UPDATE OF job
    ), grown AS (
        UPDATE job SET last_sequence = job.last_sequence + held.events,
                       stage = coalesce(held.stage, job.stage), progress = greatest(job.progress, held.progress),
                       appended_epoch = CASE WHEN :number IS NULL THEN job.appended_epoch ELSE job.epoch END,
                       appended_number = coalesce(:number, job.appended_number)
        FROM held WHERE job.id = held.id AND NOT held.is_written
        RETURNING job.id, job.project_id, job.last_sequence - held.events AS last_before
    ), written AS (
        INSERT INTO job_event (job_id, sequence, project_id, at, kind, body)
        SELECT grown.id, grown.last_before + row_number() OVER (PARTITION BY grown.id ORDER BY batch.position),
               grown.project_id, :at, batch.kind, CAST(batch.body AS jsonb)
        FROM grown JOIN batch ON batch.job_id = grown.id
    )
    SELECT array_agg(id) AS ids, pg_notify('{EVENTS_CHANNEL}', string_agg(CAST(id AS text), ','))
    FROM (SELECT id, (row_number() OVER () - 1) / 200 AS part FROM held) AS told
    GROUP BY part
""")  # noqa: S608  - the only thing put in is the constant above


async def append_events(
    connection: Connection, batches: Iterable[tuple[UUID, int, Sequence[Event]]], *, at: datetime, number: int | None = None
) -> set[UUID]:
    """Append each batch (job id, epoch, events) whose epoch is still the job's; answers the ids of those jobs.

    A batch of an epoch that has appended under this `number` or a higher one is there already, and is not appended again.
    Followers are told at commit. The job's stage and progress go with its Progressed events.
    """
    jobs: list[UUID] = []
    epochs: list[int] = []
    events: list[Event] = []
    for job_id, epoch, batch in batches:
        jobs += repeat(job_id, len(batch))
        epochs += repeat(epoch, len(batch))
        events += batch
    parameters = {
        "jobs": jobs,
        "epochs": epochs,
        "kinds": [type(event).__name__ for event in events],
        "bodies": [orjson.dumps(to_document(event)).decode() for event in events],
        "stages": [event.stage.value if isinstance(event, Progressed) else None for event in events],
        "progress": [event.progress if isinstance(event, Progressed) else None for event in events],
        "at": at,
        "number": number,
    }
    rows = await connection.execute(_APPEND, parameters)
    return {job_id for row in rows for job_id in row.ids}


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A row of the log."""

    job_id: UUID
    sequence: int
    at: datetime
    kind: str
    body: dict[str, Any]
    covers: int

    @property
    def recorded(self) -> RecordedEvent:
        event = to_event(self.kind, self.body)
        return RecordedEvent(job_id=self.job_id, sequence=self.sequence, at=self.at, event=event, covers=self.covers)


def to_event(kind: str, body: dict[str, Any]) -> Event:
    return from_document(_TYPES[kind], body)
