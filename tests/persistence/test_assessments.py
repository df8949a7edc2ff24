"""Assessments are only ever added: which of several is meant, what accepted chapters say of their author, and what stays dismissed."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.access import User
from domain.assessing.assessment import Assessment, FindingEvidence, ProseMetric
from domain.chapters import Chapter, ChapterStatus, ChapterVersion
from domain.errors import NotFound
from domain.ports import Library
from domain.prompting.receipts import Source, SourceKind
from domain.spending import Usage
from tests.factories import NOON, a_version, add_chapters, add_project, add_user, an_assessment, an_issue


class Desk:
    """Ada's book, with a version of each of its chapters."""

    def __init__(self, library: Library, ada: User, chapters: list[Chapter], versions: list[ChapterVersion]) -> None:
        self.library, self.ada, self.chapters, self.versions = library, ada, chapters, versions

    @property
    def project_id(self) -> UUID:
        return self.chapters[0].project_id

    async def add(self, version: ChapterVersion, *issues, **changes) -> Assessment:
        made = an_assessment(version, **changes)
        async with self.library.writing(self.ada.id) as records:
            await records.assessments.add(made, [(uuid4(), issue) for issue in issues])
        return made

    async def version(self, chapter: Chapter, **changes) -> ChapterVersion:
        async with self.library.writing(self.ada.id) as records:
            return await records.versions.add(a_version(chapter, **changes), make_current=True)


@pytest.fixture
async def desk(library: Library) -> Desk:
    ada = await add_user(library)
    project = await add_project(library, ada)
    chapters = await add_chapters(library, ada, project, 3)
    desk = Desk(library, ada, chapters, [])
    desk.versions += [await desk.version(chapter) for chapter in chapters]
    return desk


def later(minutes: int):
    return NOON + timedelta(minutes=minutes)


async def latest(desk: Desk, version: ChapterVersion) -> Assessment | None:
    async with desk.library.reading(desk.ada.id) as records:
        return (await records.assessments.of_versions([version.id])).get(version.id)


async def test_what_is_added_is_what_is_read(desk: Desk):
    evidence = FindingEvidence(Source(SourceKind.REFERENCE_FILE, uuid4()), "grey eyes")
    issues = [
        an_issue(),
        an_issue(quote="", start=None, end=None, metric="briefCoverage"),
        an_issue(conflicts_with=evidence, replacement="It"),
    ]
    metric = ProseMetric(
        name="emDashes", value=3.5, unit="per 1,000 words", description="Dashes.", typical_low=0.0, typical_high=9.0, z_score=-1.25
    )
    made = await desk.add(
        desk.versions[0],
        *issues,
        judge="gpt-4.1",
        rubric="1",
        notes=("Read in parts.",),
        metrics=(metric,),
        usage=Usage(calls=4, prompt_tokens=9),
    )
    async with desk.library.reading(desk.ada.id) as records:
        assert await records.assessments.get_many([made.id, uuid4()]) == {made.id: made}
        found = (await records.assessments.findings([made.id]))[made.id]
        assert [finding.issue for finding in found] == issues
        assert [finding.position for finding in found] == [0, 1, 2]
        assert await records.assessments.get_findings([found[1].id]) == {found[1].id: found[1]}


async def test_a_judges_assessment_goes_before_what_was_only_measured_and_the_newest_before_others(desk: Desk):
    version = desk.versions[0]
    assert await latest(desk, version) is None
    measured = await desk.add(version, created_at=later(1))
    assert await latest(desk, version) == measured
    await desk.add(version, judge="a", created_at=later(2))
    judged = await desk.add(version, judge="b", created_at=later(3))
    await desk.add(version, created_at=later(4))
    assert await latest(desk, version) == judged


async def test_quality_is_each_chapters_latest_in_book_order_and_says_when_the_text_has_moved_on(desk: Desk):
    first, second, _ = desk.versions
    on_second = await desk.add(second, score=40.0)
    on_first = await desk.add(first, judge="a")
    await desk.version(desk.chapters[0])
    async with desk.library.reading(desk.ada.id) as records:
        quality = (await records.assessments.quality([desk.project_id]))[desk.project_id]
    assert [(each.chapter_id, each.assessment, each.stale) for each in quality] == [
        (desk.chapters[0].id, on_first, True),
        (desk.chapters[1].id, on_second, False),
    ]


async def test_what_was_kept_beside_the_current_version_does_not_speak_for_its_chapter(desk: Desk):
    judged = await desk.add(desk.versions[0], judge="a")
    measured = await desk.add(desk.versions[1])
    async with desk.library.writing(desk.ada.id) as records:
        beside = [await records.versions.add(a_version(chapter), make_current=False) for chapter in desk.chapters[:2]]
    await desk.add(beside[0], judge="b", created_at=later(5))
    await desk.add(beside[1], created_at=later(5))
    async with desk.library.reading(desk.ada.id) as records:
        quality = (await records.assessments.quality([desk.project_id]))[desk.project_id]
    assert [(each.assessment, each.stale) for each in quality] == [(judged, False), (measured, False)]


async def test_only_current_versions_of_final_chapters_speak_for_their_author(desk: Desk):
    for value, version in enumerate(desk.versions):
        await desk.add(version, metrics=(ProseMetric(name="emDashes", value=float(value), unit="", description=""),))
    async with desk.library.writing(desk.ada.id) as records:
        for chapter in desk.chapters[:2]:
            await records.chapters.update(chapter.id, {"status": ChapterStatus.FINAL})
        assert await records.assessments.accepted(desk.project_id, besides=uuid4()) == [{"emDashes": 1.0}, {"emDashes": 0.0}]
        assert await records.assessments.accepted(desk.project_id, besides=desk.chapters[1].id) == [{"emDashes": 0.0}]
    await desk.version(desk.chapters[0])
    async with desk.library.reading(desk.ada.id) as records:
        assert await records.assessments.accepted(desk.project_id, besides=desk.chapters[1].id) == []


async def test_what_is_dismissed_is_known_of_its_chapter_alone_and_may_be_dismissed_again(desk: Desk):
    made = await desk.add(desk.versions[0], an_issue(), an_issue(quote="rained", start=3, end=9))
    async with desk.library.writing(desk.ada.id) as records:
        kept, other = (await records.assessments.findings([made.id]))[made.id]
        await records.assessments.dismiss(kept.id, reason="A refrain.", at=NOON)
        await records.assessments.dismiss(kept.id, reason="On purpose.", at=later(1))
        assert [each.quote for each in await records.assessments.dismissed(desk.chapters[0].id)] == ["It rained."]
        assert await records.assessments.dismissed(desk.chapters[1].id) == []
        again = await records.assessments.get_findings([kept.id, other.id])
    assert (again[kept.id].dismissed, again[other.id].dismissed) == (True, False)


async def test_an_assessment_is_of_a_version_of_its_chapter(desk: Desk):
    for changes in ({"version_id": uuid4()}, {"chapter_id": desk.chapters[1].id}):
        with pytest.raises(NotFound):
            await desk.add(desk.versions[0], **changes)


async def test_a_job_knows_its_own_assessments_in_order(desk: Desk):
    job_id = uuid4()
    second = await desk.add(desk.versions[1], job_id=job_id, created_at=later(2))
    first = await desk.add(desk.versions[0], job_id=job_id, created_at=later(1))
    await desk.add(desk.versions[0])
    async with desk.library.reading(desk.ada.id) as records:
        assert await records.assessments.of_job(job_id) == [first, second]
