"""The audit finds what is wrong: of clean records it has nothing to say, of each doctored one it names the promise that is broken."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from domain.chapters import VersionOrigin
from domain.jobs.events import Event, Finished, StatusChanged, StepFinished, TextAppended
from domain.jobs.job import CallResult, JobStatus
from domain.jobs.model_calls import INTERRUPTED
from domain.llm.model import TokenUsage
from domain.spending import Usage
from persistence.documents import to_document
from tests.reliability.chaos.audit import audit
from tests.reliability.chaos.records import (
    AssessmentRow,
    BudgetSeen,
    Call,
    EntryRow,
    EventRow,
    Evidence,
    JobRow,
    StepRow,
    VersionRow,
    Witness,
)
from tests.reliability.chaos.writer import code_for, parts_of, whole_text

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
CODE = code_for(7, 2)
PROJECT, CHAPTER, JOB, VERSION = (uuid4() for _ in range(4))
CALLS = [uuid4(), uuid4()]
COST = Decimal("0.000100")

Doctor = Callable[[Evidence], Evidence]


def later(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def a_call(number: int, **changes: Any) -> Call:
    fields: dict[str, Any] = {
        "call_id": CALLS[number],
        "code": CODE,
        "digest": f"request {number}",
        "at": later(10 * number).timestamp(),
        "follows_on": True,
        "billed": True,
        "prompt_tokens": 100,
        "completion_tokens": 70,
    }
    return Call(**{**fields, **changes})


def an_entry(number: int, **changes: Any) -> EntryRow:
    fields: dict[str, Any] = {
        "call_id": CALLS[number],
        "job_id": JOB,
        "project_id": PROJECT,
        "step": f"draft/{number + 1}",
        "calls": 1,
        "prompt_tokens": 100,
        "completion_tokens": 70,
        "cost": COST,
        "estimated": False,
        "uncertain": False,
        "committed_at": later(10 * number + 5),
    }
    return EntryRow(**{**fields, **changes})


def a_step(number: int, **changes: Any) -> StepRow:
    usage = TokenUsage(prompt_tokens=100, cached_prompt_tokens=0, completion_tokens=70, estimated=False)
    result = CallResult(text=parts_of(CODE)[number], finish="stop", usage=usage, cost=COST)
    fields: dict[str, Any] = {
        "job_id": JOB,
        "name": f"draft/{number + 1}",
        "status": JobStatus.SUCCEEDED,
        "call_id": CALLS[number],
        "result": to_document(result),
        "uncertain": False,
        "recorded_at": later(10 * number + 5),
    }
    return StepRow(**{**fields, **changes})


def rows_of(events: Sequence[Event]) -> list[EventRow]:
    return [
        EventRow(job_id=JOB, sequence=sequence, at=later(sequence), kind=type(event).__name__, body=to_document(event))
        for sequence, event in enumerate(events, 1)
    ]


def a_clean_run() -> Evidence:
    """One job: a chapter of two parts, written without an incident."""
    first, second = parts_of(CODE)
    events: list[Event] = [
        *(StatusChanged(JobStatus.QUEUED), StatusChanged(JobStatus.RUNNING)),
        *(TextAppended("draft/1", 0, first), StepFinished("draft/1", Usage())),
        *(TextAppended("draft/2", len(first), second), StepFinished("draft/2", Usage())),
        *(StatusChanged(JobStatus.SUCCEEDED), Finished()),
    ]
    job = JobRow(
        id=JOB,
        project_id=PROJECT,
        chapter_id=CHAPTER,
        status=JobStatus.SUCCEEDED,
        attempt=1,
        last_sequence=len(events),
        reserved=Decimal(0),
        title=CODE,
        result_version_id=VERSION,
    )
    version = VersionRow(id=VERSION, job_id=JOB, chapter_id=CHAPTER, origin=VersionOrigin.DRAFT, text=whole_text(CODE), is_current=True)
    return Evidence(
        jobs={JOB: job},
        steps=[a_step(0), a_step(1)],
        entries=[an_entry(0), an_entry(1)],
        events={JOB: rows_of(events)},
        versions=[version],
        assessments=[AssessmentRow(id=uuid4(), job_id=JOB, version_id=VERSION, judge=None, issues=[])],
        waiting_messages=[],
        calls=[a_call(0), a_call(1)],
        witnesses=[Witness(code=CODE, answered=[JOB, JOB], sequences=range(1, len(events) + 1), text=whole_text(CODE))],
        texts={JOB: whole_text(CODE)},
        budgets={PROJECT: BudgetSeen(spent=2 * COST, reserved=Decimal(0))},
    )


def with_job(**changes: Any) -> Doctor:
    return lambda clean: replace(clean, jobs={JOB: replace(clean.jobs[JOB], **changes)})


def with_step(number: int, **changes: Any) -> Doctor:
    return lambda clean: replace(clean, steps=[replace(step, **changes) if at == number else step for at, step in enumerate(clean.steps)])


def with_entry(number: int, **changes: Any) -> Doctor:
    return lambda clean: replace(
        clean, entries=[replace(entry, **changes) if at == number else entry for at, entry in enumerate(clean.entries)]
    )


def with_call(number: int, **changes: Any) -> Doctor:
    return lambda clean: replace(clean, calls=[replace(call, **changes) if at == number else call for at, call in enumerate(clean.calls)])


def with_witness(**changes: Any) -> Doctor:
    return lambda clean: replace(clean, witnesses=[replace(clean.witnesses[0], **changes)])


def with_version(**changes: Any) -> Doctor:
    return lambda clean: replace(clean, versions=[replace(clean.versions[0], **changes)])


def with_events(change: Callable[[list[EventRow]], list[EventRow]]) -> Doctor:
    return lambda clean: replace(clean, events={JOB: change(list(clean.events[JOB]))})


def with_one_more_call(*entries: EntryRow, at: float) -> Doctor:
    """The second part was asked for once more, under an id of its own."""
    again = a_call(1, call_id=ANOTHER, at=later(at).timestamp())
    spent = sum((entry.cost or Decimal(0) for entry in entries), 2 * COST)
    return lambda clean: replace(
        clean,
        calls=[*clean.calls, again],
        entries=[*clean.entries, *entries],
        budgets={PROJECT: BudgetSeen(spent=spent, reserved=Decimal(0))},
    )


ANOTHER = uuid4()
IN_FLIGHT = an_entry(1, call_id=ANOTHER, uncertain=True, estimated=True, completion_tokens=500, committed_at=later(13))
TAKEN_BACK = replace(IN_FLIGHT, calls=-1, cost=-COST)
KNOWN = an_entry(1, call_id=ANOTHER)

HARMLESS: dict[str, Doctor] = {
    "nothing": lambda clean: clean,
    "a call lost with its worker": with_one_more_call(IN_FLIGHT, at=12),
    "a call thought lost whose answer came after all": with_one_more_call(IN_FLIGHT, TAKEN_BACK, KNOWN, at=12),
    "a call the client cut short": lambda clean: with_call(0, completion_tokens=30)(
        with_entry(0, estimated=True)(
            with_step(0, result={**(clean.steps[0].result or {}), "finish": INTERRUPTED})(clean),
        )
    ),
    "a call cut off as it left, which the model heard when that was recorded": lambda clean: with_call(1, at=later(16).timestamp())(
        with_entry(1, estimated=True, completion_tokens=0)(
            with_step(1, result={**(clean.steps[1].result or {}), "text": "", "finish": INTERRUPTED})(clean),
        )
    ),
    "a call that the model refused": lambda clean: replace(clean, calls=[*clean.calls, a_call(1, call_id=ANOTHER, billed=False)]),
    "an interrupted call that never reached the model": lambda clean: replace(
        with_one_more_call(replace(KNOWN, estimated=True, step="draft/3"), at=12)(clean),
        calls=clean.calls,
        steps=[*clean.steps, a_step(1, name="draft/3", call_id=ANOTHER)],
    ),
}

BROKEN: dict[str, tuple[str, Doctor]] = {
    "a job that was answered and is gone": ("lost", lambda clean: replace(clean, jobs={}, texts={}, events={}, steps=[], versions=[])),
    "a start that made two jobs": ("lost", with_witness(answered=[JOB, uuid4()])),
    "a job that nobody was told of": ("lost", with_witness(answered=[], sequences=None)),
    "a job that never ended": ("lost", with_job(status=JobStatus.RUNNING)),
    "what a person complained of": ("lost", with_witness(complaints=["event 5 was delivered behind event 3"])),
    "a chapter that lacks its last word": ("lost", with_version(text=whole_text(CODE)[:-1])),
    "a chapter with a part twice": ("lost", with_version(text=parts_of(CODE)[0] + whole_text(CODE))),
    "a draft nobody made current": ("lost", with_version(is_current=False)),
    "a second draft": ("lost", lambda clean: replace(clean, versions=[*clean.versions, *clean.versions])),
    "a call for what was recorded": ("repeated", with_one_more_call(replace(IN_FLIGHT, committed_at=later(17)), at=16)),
    "a call for what another recorded while its process was frozen": ("repeated", with_one_more_call(IN_FLIGHT, at=16)),
    "a call under a recorded step's name": (
        "repeated",
        lambda clean: with_call(2, digest="other words")(with_one_more_call(replace(IN_FLIGHT, committed_at=later(17)), at=16)(clean)),
    ),
    "a call that is in no ledger": ("unexplained", with_one_more_call(at=12)),
    "a second call that was never uncertain": ("unexplained", with_one_more_call(KNOWN, at=12)),
    "a call without an id": ("unexplained", with_call(1, call_id=None)),
    "a call whose id came twice": (
        "unexplained",
        lambda clean: replace(clean, calls=[*clean.calls, a_call(1, at=later(12).timestamp())]),
    ),
    "a call that was entered twice": ("unexplained", with_one_more_call(KNOWN, IN_FLIGHT, at=12)),
    "a call that nobody made": ("unexplained", lambda clean: replace(clean, calls=clean.calls[:1])),
    "a call behind a text that nobody wrote": ("unexplained", with_call(1, follows_on=False)),
    "a step that runs on": ("unexplained", with_step(1, status=JobStatus.RUNNING)),
    "an event that is missing": ("gap", with_events(lambda rows: rows[:3] + rows[4:])),
    "an event that is there twice": ("gap", with_events(lambda rows: [*rows[:4], rows[3], *rows[4:]])),
    "a log without an end": ("gap", lambda clean: with_job(last_sequence=7)(with_events(lambda rows: rows[:-1])(clean))),
    "a log that adds up to another text": ("gap", with_events(lambda rows: [*rows[:2], replace(rows[2], body=rows[4].body), *rows[3:]])),
    "a text the API tells otherwise": ("gap", lambda clean: replace(clean, texts={JOB: "Nothing."})),
    "a follower who missed an event": ("gap", with_witness(sequences=[1, 2, 4, 5, 6, 7, 8])),
    "a follower who saw another text": ("gap", with_witness(text="Nothing.")),
    "one token too many": ("miscounted", with_entry(1, completion_tokens=71)),
    "an answer in full that was only estimated": ("miscounted", with_entry(1, estimated=True)),
    "money that is still held": ("miscounted", with_job(reserved=COST)),
    "a budget that is not its ledger": ("miscounted", lambda clean: replace(clean, budgets={PROJECT: BudgetSeen(spent=COST, reserved=0)})),
    "a message that waits": ("lost", lambda clean: replace(clean, waiting_messages=[JOB])),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_what_may_happen_is_no_violation(case: str):
    assert [str(violation) for violation in audit(HARMLESS[case](a_clean_run()))] == []


@pytest.mark.parametrize("case", BROKEN)
def test_every_broken_promise_is_found(case: str):
    promise, doctor = BROKEN[case]
    violations = audit(doctor(a_clean_run()))
    assert promise in {violation.promise for violation in violations}, violations
