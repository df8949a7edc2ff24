"""Assessments: what was measured of every saved text, what a judge has found in one, and what its author dismisses of that."""

from uuid import uuid4

import pytest

from domain.assessing.assessment import DimensionScore, FindingCategory, FindingEvidence, FindingSeverity, ProseMetric
from domain.assessing.keeping import Surroundings
from domain.prompting.receipts import Source, SourceKind
from domain.reference_files import ReferenceFile
from domain.spending import Usage
from schema.ids import encode
from tests.api import MODEL, uuid_of
from tests.factories import an_issue

ASSESSMENT = """id score scoreLow scoreHigh judge rehearsal notes createdAt usage { calls promptTokens cost } job { id } version { id number }
    dimensions { name score rationale }
    metrics { name value unit typicalLow typicalHigh typicalSource zScore description }
    findings { id category severity message quote start end suggestion replacement dismissed metric assessment { id }
        conflictsWith { quote source { __typename id } } }"""
OF_VERSION = f"query($id: ID!) {{ node(id: $id) {{ ... on ChapterVersion {{ assessment {{ {ASSESSMENT} }} }} }} }}"
FINDING = "query($id: ID!) { node(id: $id) { ... on Finding { dismissed quote conflictsWith { quote source { __typename id } } } } }"
QUALITY = "query($id: ID!) { project(id: $id) { quality { stale chapter { id } assessment { id score judge version { number } } } } }"
TEXT = "It rained. Mara lit the lamp, and the sea went on as it had always gone on, grey and patient under the wind."
LONG = "\n\n".join(f"{TEXT} Of {number} boats {number - 1} came home." for number in range(2, 30))


@pytest.fixture
async def book(api):
    project = await api.project()
    chapter = await api.chapter(project, text=TEXT)
    return project, chapter, await api.current_version(chapter)


async def assessment_of(api, version):
    return (await api.ask(OF_VERSION, id=version))["node"]["assessment"]


async def quality(api, project):
    return (await api.ask(QUALITY, id=project))["project"]["quality"]


async def test_every_saved_text_is_measured(api):
    project = await api.project()
    chapter = await api.chapter(project, text=LONG)
    first = await api.current_version(chapter)
    await api.mutate("saveChapterText", "id", chapterId=chapter, text=f"{LONG} It did. It did not.")
    second = await api.current_version(chapter)
    await api.mutate("restoreChapterVersion", "id", versionId=first)
    third = await api.current_version(chapter)
    measured = [await assessment_of(api, version) for version in (first, second, third)]
    assert [found["version"]["number"] for found in measured] == [1, 2, 3]
    for found in measured:
        assert (found["judge"], found["job"], found["rehearsal"], found["usage"]["calls"]) == (None, None, False, 0)
        assert found["score"] == found["scoreLow"] == found["scoreHigh"]
        assert [dimension["name"] for dimension in found["dimensions"]] == ["Measured"]
        assert found["metrics"]
        assert all(metric["zScore"] is None for metric in found["metrics"])
    assert measured[2]["metrics"] == measured[0]["metrics"] != measured[1]["metrics"]


async def test_a_text_that_cannot_be_measured_is_saved(api, book, monkeypatch):
    project, chapter, _ = book

    async def fails(self, text):
        return None

    monkeypatch.setattr(Surroundings, "measure", fails)
    await api.mutate("saveChapterText", "id", chapterId=chapter, text="Two.")
    other = await api.chapter(project, text="One.")
    assert await assessment_of(api, await api.current_version(chapter)) is None
    assert await assessment_of(api, await api.current_version(other)) is None


async def test_from_three_final_chapters_on_a_text_is_compared_with_them(api):
    project = await api.project()
    for number in range(3):
        chapter = await api.chapter(project, text=f"{LONG} {'And it rained. ' * 20 * number}")
        await api.mutate("updateChapter", "id", id=chapter, status="FINAL")
    chapter = await api.chapter(project, text=LONG, position=1)
    found = await assessment_of(api, await api.current_version(chapter))
    assert [metric for metric in found["metrics"] if metric["zScore"] is not None]


async def test_an_assessment_shows_all_that_is_known_of_it(api, book):
    version = book[2]
    job = await api.mutate("startAssessment", "id", versionId=version)
    made = await api.assessment(
        version,
        an_issue(metric="echo", replacement=""),
        an_issue(category=FindingCategory.BRIEF, severity=FindingSeverity.BLOCKING, quote="", start=None, end=None, message="No storm."),
        score=61.5,
        score_low=57.0,
        score_high=66.0,
        judge="gpt-4.1",
        rehearsal=True,
        job_id=uuid_of(job["id"]),
        notes=("Tense was not measured.",),
        dimensions=(DimensionScore(name="Facts", score=70.0, rationale="All fits."),),
        metrics=(
            ProseMetric(
                name="m", value=0.5, unit="of all", description="D.", typical_low=0.1, typical_high=0.4, typical_source="S", z_score=-1.5
            ),
        ),
        usage=Usage(calls=4, prompt_tokens=100, completion_tokens=10),
    )
    found = await assessment_of(api, version)
    findings = found.pop("findings")
    assert found == {
        "id": made,
        "score": 61.5,
        "scoreLow": 57.0,
        "scoreHigh": 66.0,
        "judge": "gpt-4.1",
        "rehearsal": True,
        "notes": ["Tense was not measured."],
        "createdAt": "2026-03-01T12:00:00.000000Z",
        "usage": {"calls": 4, "promptTokens": 100, "cost": "0.000000"},
        "job": {"id": job["id"]},
        "version": {"id": version, "number": 1},
        "dimensions": [{"name": "Facts", "score": 70.0, "rationale": "All fits."}],
        "metrics": [
            {
                "name": "m",
                "value": 0.5,
                "unit": "of all",
                "typicalLow": 0.1,
                "typicalHigh": 0.4,
                "typicalSource": "S",
                "zScore": -1.5,
                "description": "D.",
            }
        ],
    }
    assert [finding.pop("assessment") for finding in findings] == [{"id": made}, {"id": made}]
    assert [finding.pop("id").partition("_")[0] for finding in findings] == ["finding", "finding"]
    assert findings == [
        {
            "category": "PROSE",
            "severity": "MINOR",
            "message": "It rained already.",
            "quote": "It rained.",
            "start": 0,
            "end": 10,
            "suggestion": "Cut it.",
            "replacement": "",
            "dismissed": False,
            "metric": "echo",
            "conflictsWith": None,
        },
        {
            "category": "BRIEF",
            "severity": "BLOCKING",
            "message": "No storm.",
            "quote": "",
            "start": None,
            "end": None,
            "suggestion": "Cut it.",
            "replacement": None,
            "dismissed": False,
            "metric": None,
            "conflictsWith": None,
        },
    ]


async def test_the_latest_assessment_of_a_version_is_that_of_a_judge(api, book):
    version = book[2]
    api.clock.advance(seconds=1)
    judged = await api.assessment(version)
    api.clock.advance(seconds=1)
    await api.assessment(version, judge=None)
    assert (await assessment_of(api, version))["id"] == judged


async def test_what_a_finding_contradicts_is_shown_until_it_is_deleted(api, book):
    project, _, version = book
    file = await api.reference_file(project)
    earlier = await api.chapter(project, text="Mara has blue eyes.", position=1)
    told = await api.current_version(earlier)
    sources = [Source(SourceKind.REFERENCE_FILE, uuid_of(file)), Source(SourceKind.CHAPTER_VERSION, uuid_of(told))]
    made = await api.assessment(
        version, *(an_issue(conflicts_with=FindingEvidence(source, "Mara"), category=FindingCategory.CONTINUITY) for source in sources)
    )
    findings = await api.findings(made)
    shown = [(await api.ask(FINDING, id=finding))["node"]["conflictsWith"] for finding in findings]
    assert shown == [
        {"quote": "Mara", "source": {"__typename": "ReferenceFile", "id": file}},
        {"quote": "Mara", "source": {"__typename": "ChapterVersion", "id": told}},
    ]
    await api.mutate("deleteReferenceFile", None, id=file)
    await api.mutate("deleteChapter", None, id=earlier)
    for finding in findings:
        assert (await api.ask(FINDING, id=finding))["node"] == {"dismissed": False, "quote": "It rained.", "conflictsWith": None}


async def test_a_projects_quality_is_the_latest_assessment_of_each_chapter_in_book_order(api, book):
    project, chapter, version = book
    await api.chapter(project)
    first = await api.chapter(project, text="First.", position=1)
    api.clock.advance(seconds=1)
    judged = await api.assessment(version, score=40.0)
    found = await quality(api, project)
    assert [(each["chapter"]["id"], each["stale"]) for each in found] == [(first, False), (chapter, False)]
    assert found[1]["assessment"] == {"id": judged, "score": 40.0, "judge": MODEL, "version": {"number": 1}}
    api.clock.advance(seconds=1)
    await api.mutate("saveChapterText", "id", chapterId=chapter, text="It shone.")
    found = await quality(api, project)
    assert (found[1]["assessment"]["id"], found[1]["stale"]) == (judged, True)


async def test_a_project_without_a_text_has_no_quality(api):
    project = await api.project()
    await api.chapter(project)
    assert await quality(api, project) == []


async def test_assessments_and_findings_are_found_by_their_ids(api, book):
    made = await api.assessment(book[2], an_issue())
    (finding,) = await api.findings(made)
    gone = encode(ReferenceFile, uuid4())
    asked = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    found = (await api.ask(asked, ids=[finding, gone, made]))["nodes"]
    assert found == [{"__typename": "Finding", "id": finding}, None, {"__typename": "Assessment", "id": made}]


async def test_a_dismissed_finding_stays_and_says_so(api, book):
    (finding,) = await api.findings(await api.assessment(book[2], an_issue()))
    for reason in ("It is a refrain.", "x" * 2_000):
        assert await api.mutate("dismissFinding", "id dismissed quote", findingId=finding, reason=reason) == {
            "id": finding,
            "dismissed": True,
            "quote": "It rained.",
        }
    assert (await api.ask(FINDING, id=finding))["node"]["dismissed"]


@pytest.mark.parametrize("reason", ["", " \n\t", "x" * 2_001, "a\x00b"])
async def test_a_dismissal_has_a_reason(api, book, reason):
    (finding,) = await api.findings(await api.assessment(book[2], an_issue()))
    error = await api.refusal("dismissFinding", findingId=finding, reason=reason)
    assert (error["__typename"], error["path"]) == ("InvalidInputError", ["input", "reason"])
    assert not (await api.ask(FINDING, id=finding))["node"]["dismissed"]


async def test_only_findings_can_be_dismissed(api, book):
    made = await api.assessment(book[2], an_issue())
    for wrong in (made, book[2], "finding_" + "0" * 26, "nonsense"):
        error = await api.refusal("dismissFinding", findingId=wrong, reason="No.")
        assert (error["__typename"], error["path"], error["id"]) == ("NotFoundError", ["input", "findingId"], wrong)


@pytest.mark.parametrize("role", ["COMMENTER", "VIEWER"])
async def test_who_may_only_read_dismisses_nothing(api, book, role):
    (finding,) = await api.findings(await api.assessment(book[2], an_issue()))
    reader = await api.member(book[0], role)
    error = await reader.refusal("dismissFinding", findingId=finding, reason="No.")
    assert (error["__typename"], error["requiredRole"]) == ("ForbiddenError", "EDITOR")
    assert (await reader.ask(FINDING, id=finding))["node"] == {"dismissed": False, "quote": "It rained.", "conflictsWith": None}


async def test_somebody_elses_assessments_are_as_good_as_none(api, book):
    version = book[2]
    made = await api.assessment(version, an_issue())
    (finding,) = await api.findings(made)
    ben = await api.newcomer()
    asked = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await ben.ask(asked, ids=[made, finding]) == {"nodes": [None, None]}
    assert (await ben.refusal("dismissFinding", findingId=finding, reason="No."))["__typename"] == "NotFoundError"
