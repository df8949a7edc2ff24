"""Compacted logs: a fraction of the rows, and the right text for whoever follows, from wherever they had come to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import orjson
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.rows import class_row

from domain.jobs.events import (
    Event,
    Finished,
    Progressed,
    RecordedEvent,
    StatusChanged,
    StepFinished,
    TextAppended,
    TextReplaced,
    text_after,
)
from domain.jobs.job import JobFailure, JobStage, JobStatus
from domain.spending import Usage
from persistence.documents import to_document
from persistence.events import StoredEvent
from tests.factories import NOON
from tests.persistence.job_world import build_world

FAILED = StatusChanged(JobStatus.FAILED, JobFailure(code="MODEL_UNAVAILABLE", message="Not now.", retryable=True))
END: tuple[Event, ...] = (FAILED, Finished())
RETRIED: tuple[Event, ...] = (StatusChanged(JobStatus.QUEUED), StatusChanged(JobStatus.RUNNING))
STEPS = ("context", "draft/1", "draft/2", "save")


def progressed(fraction: float = 0.5) -> Progressed:
    return Progressed(JobStage.DRAFTING, fraction, "Half.")


def finished(step: str) -> StepFinished:
    return StepFinished(step, Usage(calls=1))


@dataclass(frozen=True)
class Log:
    """A job's log, in a transaction that is never committed."""

    connection: "psycopg.Connection[tuple[object, ...]]"
    job_id: UUID

    def append(self, events: Sequence[Event]) -> None:
        first = len(self) + 1
        with self.connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO job_event (job_id, sequence, project_id, at, kind, body) SELECT id, %s, project_id, %s, %s, %s FROM job WHERE id = %s",
                [
                    (sequence, NOON, type(event).__name__, orjson.dumps(to_document(event)).decode(), self.job_id)
                    for sequence, event in enumerate(events, start=first)
                ],
            )

    def compact(self) -> bool:
        self.connection.execute("SET LOCAL ROLE scriptorium_worker")
        row = self.connection.execute("SELECT compact_job_log(%s)", (self.job_id,)).fetchone()
        self.connection.execute("RESET ROLE")
        assert row is not None
        return bool(row[0])

    def read(self) -> list[RecordedEvent]:
        query = "SELECT job_id, sequence, at, kind, body, covers FROM job_event WHERE job_id = %s ORDER BY sequence"
        with self.connection.cursor(row_factory=class_row(StoredEvent)) as cursor:
            return [stored.recorded for stored in cursor.execute(query, (self.job_id,))]

    def __len__(self) -> int:
        row = self.connection.execute("SELECT coalesce(max(sequence), 0) FROM job_event WHERE job_id = %s", (self.job_id,)).fetchone()
        assert row is not None
        return int(str(row[0]))


@pytest.fixture
async def job_id(database) -> UUID:
    return (await (await build_world(database)).queued()).id


@pytest.fixture
def connection(owner_url) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(owner_url) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def log(connection, job_id) -> Log:
    return empty_log(connection, job_id)


def empty_log(connection, job_id) -> Log:
    connection.rollback()
    connection.execute("DELETE FROM job_event WHERE job_id = %s", (job_id,))
    connection.execute("UPDATE job SET status = 'FAILED', finished_at = now() WHERE id = %s", (job_id,))
    return Log(connection, job_id)


def events_of(log: Log) -> list[tuple[int, int, Event]]:
    """First position, last position, event."""
    return [(entry.first_sequence, entry.sequence, entry.event) for entry in log.read()]


def test_of_each_step_one_event_stays_and_the_last_change_of_status_and_the_end(log):
    log.append([
        StatusChanged(JobStatus.QUEUED),
        StatusChanged(JobStatus.RUNNING),
        progressed(),
        finished("context"),
        TextAppended("draft/1", 0, "It was "),
        progressed(),
        TextAppended("draft/1", 7, "dark."),
        finished("draft/1"),
        TextAppended("draft/2", 12, " And"),
        TextReplaced("draft/2", 12, " Then"),
        finished("draft/2"),
        finished("save"),
        progressed(1.0),
        *END,
    ])  # fmt: skip

    assert log.compact()

    assert events_of(log) == [
        (1, 4, finished("context")),
        (5, 8, TextReplaced("draft/1", 0, "It was dark.")),
        (9, 11, TextReplaced("draft/2", 12, " Then")),
        (12, 12, finished("save")),
        (13, 14, FAILED),
        (15, 15, Finished()),
    ]


def test_text_of_a_step_that_never_finished_is_kept(log):
    log.append([StatusChanged(JobStatus.RUNNING), TextAppended("draft/1", 0, "It "), TextAppended("draft/1", 3, "was"), progressed(), *END])

    log.compact()

    assert events_of(log) == [(1, 3, TextReplaced("draft/1", 0, "It was")), (4, 5, FAILED), (6, 6, Finished())]


def test_text_that_was_taken_back_is_gone_for_followers_who_had_seen_it(log):
    log.append([TextAppended("draft/1", 0, "Kept. Lost."), finished("draft/1"), TextReplaced("draft/2", 5, ""), *END])

    log.compact()

    assert events_of(log) == [
        (1, 2, TextReplaced("draft/1", 0, "Kept.")),
        (3, 3, TextReplaced("draft/2", 5, "")),
        (4, 4, FAILED),
        (5, 5, Finished()),
    ]


def test_the_earlier_ends_of_a_retried_job_go_and_it_is_compacted_again_behind_them(log):
    log.append(
        [StatusChanged(JobStatus.RUNNING), TextAppended("draft/1", 0, "One. "), finished("draft/1"), TextAppended("draft/2", 5, "Tw"), *END]
    )
    log.compact()
    log.append([*RETRIED, TextAppended("draft/2", 7, "o."), finished("draft/2"), *END])

    assert [first for first, _, _ in events_of(log)][-1] == len(log)
    log.compact()

    assert events_of(log) == [
        (1, 3, TextReplaced("draft/1", 0, "One. ")),
        (4, 10, TextReplaced("draft/2", 5, "Two.")),
        (11, 11, FAILED),
        (12, 12, Finished()),
    ]


def test_events_keep_the_time_at_which_they_happened(log):
    log.append([StatusChanged(JobStatus.RUNNING), finished("context"), *END])
    log.compact()
    assert {entry.at for entry in log.read()} == {NOON}


@pytest.mark.parametrize("status", ["QUEUED", "RUNNING", "WAITING", "CANCELLING"])
def test_the_log_of_an_active_job_is_left_alone(log, status):
    log.append([StatusChanged(JobStatus.QUEUED), TextAppended("draft/1", 0, "a"), TextAppended("draft/1", 1, "b")])
    log.connection.execute("UPDATE job SET status = %s WHERE id = %s", (status, log.job_id))
    before = log.read()

    assert not log.compact()

    assert log.read() == before


TEXTS = st.text(st.sampled_from('aß龍😀"\\ \n'), max_size=4)
POSITIONS = st.integers(0, 12)
KINDS = st.one_of(
    st.tuples(st.just(TextAppended), st.sampled_from(STEPS), POSITIONS, TEXTS),
    st.tuples(st.just(TextReplaced), st.sampled_from(STEPS), POSITIONS, TEXTS),
    st.tuples(st.just(StepFinished), st.sampled_from(STEPS)),
    st.sampled_from([(Progressed,), (StatusChanged,), (Finished,)]),
)
ROUNDS = st.lists(st.lists(KINDS, max_size=14), min_size=1, max_size=3)
"""What happened from each start of a job to its end."""


def story(kinds, shown: str) -> list[Event]:
    """Events such as a job could emit: text is appended to what is shown by then."""
    events: list[Event] = []
    for kind, *content in kinds:
        match kind, content:
            case type() as text_kind, [str(step), int(position), str(text)]:
                offset = len(shown) if text_kind is TextAppended else position
                events.append(text_kind(step, offset, text))
                shown = shown[:offset] + text
            case _, [str(step)]:
                events.append(finished(step))
            case type() as other, _:
                events.append({Progressed: progressed(), StatusChanged: StatusChanged(JobStatus.RUNNING), Finished: Finished()}[other])
    return [*events, *END]


def texts_at_every_cut(followers: set[tuple[int, str]], log: Sequence[RecordedEvent]) -> set[tuple[int, str]]:
    """Each follower (how far they have come, what they show) reads on, and may stop behind any event."""
    found = set(followers)
    for sequence, seen in followers:
        shown = seen
        for entry in log:
            if entry.sequence > sequence:
                shown = text_after([TextAppended("", 0, shown), entry.event])
                found.add((entry.sequence, shown))
    return found


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=ROUNDS)
@example(rounds=[[(TextAppended, "draft/1", 0, "aaaa"), (StepFinished, "draft/1"), (TextReplaced, "save", 1, "")]])
@example(rounds=[[(TextAppended, "draft/1", 0, "aaaa"), (TextAppended, "draft/2", 0, "b"), (TextReplaced, "draft/1", 2, "c")]])
@example(rounds=[[(TextAppended, "draft/1", 0, "a")], [(TextReplaced, "draft/1", 0, "")], [(TextAppended, "draft/1", 0, "b")]])
def test_whoever_follows_a_compacted_log_from_wherever_they_had_come_to_shows_the_right_text(connection, job_id, rounds):
    log, followers, whole = empty_log(connection, job_id), {(0, "")}, ""
    for kinds in rounds:
        log.append(story(kinds, whole))
        alive, last = log.read(), len(log)
        whole = text_after(entry.event for entry in alive)
        followers = texts_at_every_cut(followers, alive)

        assert log.compact()

        compacted = log.read()
        assert [(entry.first_sequence, entry.sequence) for entry in compacted] == tiles(compacted, last)
        assert text_after(entry.event for entry in compacted) == whole
        assert [replace(entry, covers=1) for entry in compacted[-2:]] == alive[-2:]
        assert_one_event_a_step(alive, compacted)
        assert {shown for sequence, shown in texts_at_every_cut(followers, compacted) if sequence == last} == {whole}
        followers = texts_at_every_cut(followers, compacted)

        log.compact()
        assert log.read() == compacted


def tiles(log: Sequence[RecordedEvent], last: int) -> list[tuple[int, int]]:
    """The ranges that these events must have to stand for 1..last, each position once."""
    ends = [entry.sequence for entry in log]
    assert ends[-1] == last
    return [(before + 1, end) for before, end in zip([0, *ends], ends, strict=False)]


def assert_one_event_a_step(alive: Sequence[RecordedEvent], compacted: Sequence[RecordedEvent]) -> None:
    named = [entry.event.step for entry in compacted[:-2] if not isinstance(entry.event, StatusChanged | Finished | Progressed)]
    assert len(named) == len(compacted) - 2
    assert sorted(named) == sorted({step for entry in alive if (step := getattr(entry.event, "step", None)) is not None})
