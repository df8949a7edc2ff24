"""Everything that is known of one job, in the order in which it happened: for whoever has to find out how a violation came about."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from tests.reliability.chaos.books import code_of
from tests.reliability.chaos.records import Evidence


def dossier(evidence: Evidence, job_id: UUID) -> Iterator[str]:
    job = evidence.jobs[job_id]
    yield f"{job}"
    yield from (f"{step}" for step in evidence.steps if step.job_id == job_id)
    yield from sorted(_happened(evidence, job_id, code_of(job)))


def _happened(evidence: Evidence, job_id: UUID, code: str) -> Iterator[str]:
    for row in evidence.events.get(job_id, ()):
        yield f"{_clock(row.at)} event {row.sequence}: {row.event}"
    for call in evidence.calls:
        if call.code == code:
            yield f"{_clock(datetime.fromtimestamp(call.at, UTC))} heard {call}"
    for entry in evidence.entries:
        if entry.job_id == job_id:
            yield f"{_clock(entry.committed_at)} {entry}"


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M:%S.%f}"
