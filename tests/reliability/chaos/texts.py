"""What has to hold of the texts that jobs have written and revised, and of what was said about them."""

from collections import Counter
from collections.abc import Iterator, Sequence

from domain.chapters import VersionOrigin
from domain.jobs.job import JobKind, JobStatus
from tests.reliability.chaos.books import Books, Breach, code_of
from tests.reliability.chaos.editor import unrevised
from tests.reliability.chaos.records import JobRow, VersionRow
from tests.reliability.chaos.writer import CODA, departure, is_whole, whole_text


def every_chapter_is_whole(books: Books) -> Iterator[Breach]:
    for job in books.evidence.jobs.values():
        if job.kind == JobKind.CHAPTER:
            yield from _of_chapter(job, books.versions_of_job.get(job.id, ()))


def _of_chapter(job: JobRow, versions: Sequence[VersionRow]) -> Iterator[Breach]:
    """One that is polished has its draft from the moment that it is written, whatever its job comes to."""
    drafts = [version.text for version in versions if version.origin == VersionOrigin.DRAFT]
    parts = [version.text for version in versions if version.origin == VersionOrigin.PARTIAL]
    allowed = {1} if job.status == JobStatus.SUCCEEDED else {0, 1} if job.max_revisions else {0}
    if len(drafts) not in allowed:
        yield job.id, f"it is {job.status} with {len(drafts)} drafts"
    for text in drafts:
        if not is_whole(code_of(job), text):
            yield job.id, f"its chapter is not what was written: {departure(code_of(job), text)}"
    for text in parts:
        if not whole_text(code_of(job)).startswith(text.rstrip(CODA)):
            yield job.id, f"what it kept of its text is no beginning of the chapter: {departure(code_of(job), text)}"
    if job.status == JobStatus.SUCCEEDED and not any(each.id == job.result_version_id and each.had_its_place for each in versions):
        yield job.id, "its result is not the chapter's current version"


def every_revision_has_its_place(books: Books) -> Iterator[Breach]:
    """Each is there once, made of the version before it; it is the current one, or beside that with a reason."""
    for job in books.evidence.jobs.values():
        revisions = [version for version in books.versions_of_job.get(job.id, ()) if version.origin == VersionOrigin.REVISION]
        for version in revisions:
            if not is_whole(code_of(job), unrevised(version.text)):
                yield job.id, f"its revision changes what it should not: {departure(code_of(job), unrevised(version.text))}"
            original = books.versions.get(version.parent_id) if version.parent_id else None
            if original is None or original.text == version.text:
                yield job.id, "its revision is one of nothing"
        parents = Counter(version.parent_id for version in revisions)
        if len(parents) != len(revisions):
            yield job.id, f"it revised {len(parents)} texts {len(revisions)} times"
        if job.kind == JobKind.CHAPTER and len(revisions) > job.max_revisions:
            yield job.id, f"it revised its draft {len(revisions)} times, and was allowed {job.max_revisions}"
        if job.kind == JobKind.REVISION:
            yield from _of_revision(job, revisions)


def _of_revision(job: JobRow, revisions: Sequence[VersionRow]) -> Iterator[Breach]:
    is_done = job.status == JobStatus.SUCCEEDED
    if len(revisions) not in ({1} if is_done else {0, 1}):
        yield job.id, f"it is {job.status} with {len(revisions)} revisions"
    for version in revisions:
        if version.parent_id != job.version_id or (is_done and version.id != job.result_version_id):
            yield job.id, "its revision is not that of the version it was asked to revise, or not its result"
        if version.is_current and (not is_done or job.remark is not None):
            yield job.id, f"it is {job.status}, and its revision is current in spite of that and of {job.remark!r}"
        if is_done and job.remark is None and not version.had_its_place:
            yield job.id, "its revision is kept beside the current version, and nothing says why"


def every_text_is_judged_once(books: Books) -> Iterator[Breach]:
    """By each job; and measured, since that costs nothing."""
    judged = Counter((each.job_id, each.version_id) for each in books.evidence.assessments if each.judge is not None)
    for (job_id, version_id), times in judged.items():
        if times > 1:
            yield job_id, f"it judged version {version_id} {times} times"
    for version in books.evidence.versions:
        measured = any(each.judge is None for each in books.assessments_of_version.get(version.id, ()))
        if version.job_id is not None and version.origin != VersionOrigin.PARTIAL and not measured:
            yield version.job_id, f"version {version.number} was not measured"
    for job in books.evidence.jobs.values():
        if job.status == JobStatus.SUCCEEDED and (missing := _unjudged(books, job, judged)):
            yield job.id, missing


def _unjudged(books: Books, job: JobRow, judged: Counter[tuple[object, object]]) -> str | None:
    if job.kind == JobKind.ASSESSMENT:
        result = [each for each in books.evidence.assessments if each.id == job.result_assessment_id]
        fits = [each for each in result if each.version_id == job.version_id and (each.judge is None) is job.metrics_only]
        if books.versions_of_job.get(job.id):
            return "it was to assess, and has written"
        return None if fits else "its result is no assessment of the version that it was to assess"
    asked_for = job.kind == JobKind.REVISION or job.max_revisions > 0
    if asked_for and job.remark is None and not judged[(job.id, job.result_version_id)]:
        return "its result was never judged, and nothing says why"
    return None


def every_finding_is_where_it_says(books: Books) -> Iterator[Breach]:
    for assessment in books.evidence.assessments:
        version = books.versions.get(assessment.version_id)
        for issue in assessment.issues:
            if version is None or (issue["quote"] and version.text[issue["start"] : issue["end"]] != issue["quote"]):
                yield assessment.job_id or assessment.version_id, f"a finding quotes {issue['quote']!r}, which is not where it says"


def text_of_result(books: Books, job: JobRow) -> str:
    """What is to be shown of a job that has succeeded."""
    version = books.versions.get(job.result_version_id) if job.result_version_id else None
    return version.text if version else ""
