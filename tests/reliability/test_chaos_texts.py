"""The audit of texts that were revised and judged: clean records are left alone, of each doctored one the broken promise is named."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from domain.chapters import VersionOrigin
from domain.jobs.job import JobKind, JobStatus
from tests.reliability.chaos.books import Books
from tests.reliability.chaos.editor import LAMPS, unrevised
from tests.reliability.chaos.records import AssessmentRow, Evidence, JobRow, VersionRow
from tests.reliability.chaos.texts import (
    every_chapter_is_whole,
    every_finding_is_where_it_says,
    every_revision_has_its_place,
    every_text_is_judged_once,
    text_of_result,
)
from tests.reliability.chaos.writer import code_for, whole_text

CODE = code_for(7, 2)
WHOLE = whole_text(CODE)
DIMMED = WHOLE.replace(LAMPS[0], LAMPS[1], 1)
PROJECT, CHAPTER, JOB = (uuid4() for _ in range(3))
DRAFT, REVISED, OWN = (uuid4() for _ in range(3))
MEASURED, JUDGED = uuid4(), uuid4()
ISSUE = {"quote": "the lamp", "start": WHOLE.index("the lamp"), "end": WHOLE.index("the lamp") + len("the lamp")}

Doctor = Callable[[Evidence], Evidence]


def a_job(kind: JobKind, **changes: Any) -> JobRow:
    fields: dict[str, Any] = {
        "id": JOB,
        "project_id": PROJECT,
        "chapter_id": CHAPTER,
        "status": JobStatus.SUCCEEDED,
        "attempt": 1,
        "last_sequence": 0,
        "reserved": Decimal(0),
        "title": CODE,
        "result_version_id": None,
        "kind": kind,
    }
    return JobRow(**{**fields, **changes})


def a_version(number: int, origin: VersionOrigin, **changes: Any) -> VersionRow:
    fields: dict[str, Any] = {
        "job_id": JOB,
        "chapter_id": CHAPTER,
        "text": WHOLE,
        "is_current": False,
        "number": number,
        "current_number": 2,
    }
    return VersionRow(origin=origin, **{**fields, **changes})


def an_assessment(of: Any, **changes: Any) -> AssessmentRow:
    fields: dict[str, Any] = {"id": uuid4(), "job_id": JOB, "version_id": of, "judge": None, "issues": [ISSUE]}
    return AssessmentRow(**{**fields, **changes})


def evidence(job: JobRow, versions: list[VersionRow], assessments: list[AssessmentRow]) -> Evidence:
    return Evidence(
        jobs={JOB: job},
        steps=[],
        entries=[],
        events={},
        versions=versions,
        assessments=assessments,
        waiting_messages=[],
        calls=[],
        witnesses=[],
        texts={},
        budgets={},
    )


REVISION = a_version(2, VersionOrigin.REVISION, id=REVISED, text=DIMMED, is_current=True, parent_id=DRAFT)
POLISHED = evidence(
    a_job(JobKind.CHAPTER, max_revisions=1, result_version_id=REVISED),
    [a_version(1, VersionOrigin.DRAFT, id=DRAFT), REVISION],
    [an_assessment(each) for each in (DRAFT, REVISED)] + [an_assessment(each, judge="j", issues=[]) for each in (DRAFT, REVISED)],
)
REVISED_BY_ITSELF = evidence(
    a_job(JobKind.REVISION, version_id=OWN, result_version_id=REVISED),
    [a_version(1, VersionOrigin.AUTHOR, id=OWN, job_id=None), replace(REVISION, parent_id=OWN)],
    [an_assessment(REVISED), an_assessment(REVISED, judge="j", issues=[])],
)
ASSESSED = evidence(
    a_job(JobKind.ASSESSMENT, version_id=OWN, result_assessment_id=JUDGED),
    [a_version(2, VersionOrigin.AUTHOR, id=OWN, job_id=None, is_current=True)],
    [an_assessment(OWN, job_id=None), an_assessment(OWN, id=JUDGED, judge="j")],
)


def with_job(**changes: Any) -> Doctor:
    return lambda clean: replace(clean, jobs={JOB: replace(clean.jobs[JOB], **changes)})


def with_last_version(**changes: Any) -> Doctor:
    return lambda clean: replace(clean, versions=[*clean.versions[:-1], replace(clean.versions[-1], **changes)])


def with_assessments(change: Callable[[list[AssessmentRow]], list[AssessmentRow]]) -> Doctor:
    return lambda clean: replace(clean, assessments=change(list(clean.assessments)))


def both(first: Doctor, second: Doctor) -> Doctor:
    return lambda clean: second(first(clean))


BESIDE = both(with_job(remark="It reads worse."), with_last_version(is_current=False, current_number=1))
HARMLESS: dict[str, tuple[Evidence, Doctor]] = {
    "a polished draft": (POLISHED, lambda clean: clean),
    "a revision": (REVISED_BY_ITSELF, lambda clean: clean),
    "an assessment": (ASSESSED, lambda clean: clean),
    "a revision kept beside with a reason": (REVISED_BY_ITSELF, BESIDE),
    "a revision whose place a later text has taken": (REVISED_BY_ITSELF, with_last_version(is_current=False, current_number=3)),
    "a cancelled revision that was saved": (
        REVISED_BY_ITSELF,
        both(with_job(status=JobStatus.CANCELLED), with_last_version(is_current=False, current_number=1)),
    ),
    "a polished draft whose polishing was cancelled": (
        POLISHED,
        lambda clean: with_job(status=JobStatus.CANCELLED)(
            replace(clean, versions=clean.versions[:1], assessments=clean.assessments[:1]),
        ),
    ),
    "metrics alone": (
        ASSESSED,
        both(with_job(metrics_only=True), with_assessments(lambda rows: [replace(each, judge=None) for each in rows])),
    ),
}
BROKEN: dict[str, tuple[Evidence, Doctor]] = {
    "a draft that is lost behind its revision": (POLISHED, lambda clean: replace(clean, versions=clean.versions[1:])),
    "a result that never had its place": (POLISHED, with_last_version(is_current=False, current_number=1)),
    "a revision too many": (POLISHED, with_job(max_revisions=0)),
    "a revision that loses a sentence": (POLISHED, with_last_version(text=DIMMED[100:])),
    "a revision of nothing": (POLISHED, with_last_version(parent_id=None)),
    "a revision that is none": (POLISHED, with_last_version(text=WHOLE)),
    "a revision that was saved twice": (
        REVISED_BY_ITSELF,
        lambda clean: replace(clean, versions=[*clean.versions, replace(clean.versions[-1], id=uuid4(), is_current=False)]),
    ),
    "a job without its revision": (REVISED_BY_ITSELF, lambda clean: replace(clean, versions=clean.versions[:1])),
    "a revision of another version": (REVISED_BY_ITSELF, with_job(version_id=uuid4())),
    "a revision that is not the result": (REVISED_BY_ITSELF, with_job(result_version_id=None)),
    "a revision beside the current text without a reason": (REVISED_BY_ITSELF, with_last_version(is_current=False, current_number=1)),
    "a revision that is current in spite of a reason": (REVISED_BY_ITSELF, with_job(remark="It reads worse.")),
    "a cancelled revision that is current": (REVISED_BY_ITSELF, with_job(status=JobStatus.CANCELLED)),
    "a verdict given twice": (POLISHED, with_assessments(lambda rows: [*rows, replace(rows[-1], id=uuid4())])),
    "a version that nobody measured": (POLISHED, with_assessments(lambda rows: rows[1:])),
    "a result that nobody judged": (POLISHED, with_assessments(lambda rows: rows[:-1])),
    "an assessment that is gone": (ASSESSED, with_assessments(lambda rows: rows[:1])),
    "an assessment of another version": (ASSESSED, with_job(version_id=uuid4())),
    "an assessment by nobody": (ASSESSED, with_job(metrics_only=True)),
    "an assessment that writes": (ASSESSED, with_last_version(job_id=JOB)),
    "a finding beside its quote": (ASSESSED, with_assessments(lambda rows: [replace(rows[0], issues=[{**ISSUE, "start": 0}]), *rows[1:]])),
}


def breaches(found: Evidence) -> list[str]:
    books = Books(found)
    promises = (every_chapter_is_whole, every_revision_has_its_place, every_text_is_judged_once, every_finding_is_where_it_says)
    return [what for promise in promises for _, what in promise(books)]


@pytest.mark.parametrize("case", HARMLESS)
def test_what_may_happen_is_no_breach(case: str):
    clean, doctor = HARMLESS[case]
    assert breaches(doctor(clean)) == []


@pytest.mark.parametrize("case", BROKEN)
def test_every_breach_is_found(case: str):
    clean, doctor = BROKEN[case]
    assert breaches(doctor(clean))


def test_what_is_shown_of_a_job_is_its_result():
    assert text_of_result(Books(POLISHED), POLISHED.jobs[JOB]) == DIMMED
    assert text_of_result(Books(ASSESSED), ASSESSED.jobs[JOB]) == ""


def test_a_revision_is_told_from_its_original_by_the_lamps_alone():
    assert unrevised(DIMMED.replace(LAMPS[0], LAMPS[2], 1)) == WHOLE != DIMMED
