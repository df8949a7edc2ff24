"""Starting revisions: which findings may be chosen, what it may cost, and what a revision must not run beside."""

import pytest

from domain.jobs.job import RevisionRequest
from tests.api import MODEL, usd, uuid_of
from tests.factories import an_issue

JOB = "id kind status chapter { id } estimate { model promptTokens completionTokens low high priced }"
BUDGET = "query($id: ID!) { project(id: $id) { budget { reserved } jobs(kind: [REVISION]) { totalCount } } }"
TEXT = "It rained. Mara lit the lamp, and the sea went on."


@pytest.fixture
async def book(api):
    project = await api.project(budgetLimit=1)
    chapter = await api.chapter(project, brief="A storm.", text=TEXT)
    return project, chapter, await api.current_version(chapter)


@pytest.fixture
async def findings(api, book):
    lamp = an_issue(quote="Mara lit the lamp", start=11, end=28)
    return await api.findings(await api.assessment(book[2], an_issue(), lamp, an_issue(quote="", start=None, end=None)))


async def start(api, version, **values):
    return await api.mutate("startChapterRevision", JOB, versionId=version, **values)


async def refusal(api, version, **values):
    return await api.refusal("startChapterRevision", versionId=version, **values)


async def money(api, project):
    return (await api.ask(BUDGET, id=project))["project"]


async def request_of(api, job):
    async with api.services.library.reading(api.user.id) as records:
        return (await records.jobs.get_many([uuid_of(job)]))[uuid_of(job)].request


async def test_a_started_revision_waits_with_its_highest_estimate_held(api, book, findings):
    project, chapter, version = book
    await api.mutate("updateProject", "id", id=project, settings={"assessorModel": "gpt-4.1", "temperature": 0.3})
    job = await start(api, version, findingIds=[findings[1], findings[0], findings[1]], instructions="Shorter.")
    assert (job["kind"], job["status"], job["chapter"]) == ("REVISION", "QUEUED", {"id": chapter})
    assert (job["estimate"]["model"], job["estimate"]["priced"]) == (MODEL, True)
    assert usd(job["estimate"]["high"]) > usd(job["estimate"]["low"]) > 0
    assert (await money(api, project))["budget"]["reserved"] == job["estimate"]["high"]
    request = await request_of(api, job["id"])
    assert isinstance(request, RevisionRequest)
    assert (request.version_id, request.instructions) == (uuid_of(version), "Shorter.")
    assert request.finding_ids == (uuid_of(findings[1]), uuid_of(findings[0]))
    assert (request.model, request.assessor_model, request.temperature) == (MODEL, "gpt-4.1", 0.3)


async def test_the_estimate_holds_the_edits_their_comparison_and_an_assessment_of_the_result(api, book, findings):
    version = book[2]
    assessing = await api.mutate("startAssessment", "id estimate { promptTokens completionTokens high }", versionId=version)
    revising = await start(api, version, findingIds=findings)
    assert revising["estimate"]["promptTokens"] > assessing["estimate"]["promptTokens"] + 2_000
    assert revising["estimate"]["completionTokens"] > assessing["estimate"]["completionTokens"]
    assert usd(revising["estimate"]["high"]) > usd(assessing["estimate"]["high"])


async def test_instructions_alone_are_enough(api, book):
    job = await start(api, book[2], instructions="Let it be dawn.")
    assert (await request_of(api, job["id"])).finding_ids == ()


async def test_a_version_that_is_not_current_can_be_revised(api, book, findings):
    _, chapter, version = book
    await api.mutate("saveChapterText", "id", chapterId=chapter, text="It shone.")
    request = await request_of(api, (await start(api, version, findingIds=findings))["id"])
    assert request.version_id == uuid_of(version)


@pytest.mark.parametrize("values", [{}, {"findingIds": [], "instructions": ""}, {"instructions": " \n"}, {"findingIds": None}])
async def test_there_must_be_something_to_revise(api, book, values):
    error = await refusal(api, book[2], **values)
    assert (error["__typename"], error["path"]) == ("InvalidInputError", ["input", "findingIds"])
    assert (await money(api, book[0]))["jobs"]["totalCount"] == 0


async def test_findings_must_be_of_this_very_version(api, book, findings):
    _, chapter, version = book
    await api.mutate("saveChapterText", "id", chapterId=chapter, text=f"{TEXT} It did.")
    (other,) = await api.findings(await api.assessment(await api.current_version(chapter), an_issue()))
    for wrong in (other, "finding_" + "0" * 26, version, "nonsense"):
        error = await refusal(api, version, findingIds=[findings[0], wrong])
        assert (error["__typename"], error["id"], error["path"]) == ("NotFoundError", wrong, ["input", "findingIds", "1"])


async def test_dismissed_findings_may_not_be_chosen(api, book, findings):
    await api.mutate("dismissFinding", "id", findingId=findings[1], reason="Meant so.")
    error = await refusal(api, book[2], findingIds=findings)
    assert (error["__typename"], error["path"]) == ("InvalidInputError", ["input", "findingIds", "1"])
    assert error["message"] == "This finding has been dismissed."


async def test_a_hundred_findings_may_be_chosen(api, book, findings):
    await start(api, book[2], findingIds=findings[:1] * 100)
    error = await refusal(api, book[2], findingIds=findings[:1] * 101)
    assert (error["__typename"], error["limitName"], error["maximum"]) == ("LimitExceededError", "findingIds", 100)


async def test_instructions_have_at_most_ten_thousand_characters(api, book):
    error = await refusal(api, book[2], instructions="x" * 10_001)
    assert (error["__typename"], error["path"]) == ("InvalidInputError", ["input", "instructions"])


async def test_a_chapter_is_drafted_or_revised_by_one_job_at_a_time_and_assessed_beside_it(api, book, findings):
    _, chapter, version = book
    assessment = await api.mutate("startAssessment", "id", versionId=version)
    drafting = await api.job(chapter)
    error = await refusal(api, version, findingIds=findings)
    assert (error["__typename"], error["path"], error["job"]["id"]) == ("JobConflictError", ["input", "versionId"], drafting)
    await api.mutate("cancelJob", "id", jobId=drafting)
    revising = await start(api, version, findingIds=findings)
    for name, values in (
        ("startChapterGeneration", {"chapterId": chapter}),
        ("retryJob", {"jobId": drafting}),
        ("deleteChapter", {"id": chapter}),
    ):
        error = await api.refusal(name, **values)
        assert (error["__typename"], error["job"]["id"]) == ("JobConflictError", revising["id"]), name
    assert assessment["id"] != revising["id"]


async def test_a_cancelled_revision_is_retried(api, book, findings):
    project, _, version = book
    job = await start(api, version, findingIds=findings)
    await api.mutate("cancelJob", "id", jobId=job["id"])
    assert (await api.mutate("retryJob", "status", jobId=job["id"]))["status"] == "QUEUED"
    assert (await money(api, project))["budget"]["reserved"] == job["estimate"]["high"]


async def test_the_same_key_answers_the_same_job_and_another_request_is_refused(api, book, findings):
    version = book[2]
    first = await start(api, version, findingIds=findings[:1], idempotencyKey="k")
    await api.mutate("dismissFinding", "id", findingId=findings[0], reason="Meant so.")
    assert (await start(api, version, findingIds=findings[:1], idempotencyKey="k"))["id"] == first["id"]
    for values in ({"findingIds": findings}, {"findingIds": findings[:1], "instructions": "Shorter."}):
        error = await refusal(api, version, idempotencyKey="k", **values)
        assert (error["__typename"], error["job"]["id"]) == ("IdempotencyConflictError", first["id"])


@pytest.mark.parametrize("setting", ["model", "assessorModel"])
async def test_a_model_without_a_known_price_takes_the_owners_consent(api, book, findings, setting):
    project, _, version = book
    await api.mutate("updateProject", "id", id=project, settings={setting: "my-own-model"})
    error = await refusal(api, version, findingIds=findings)
    assert (error["__typename"], error["model"]) == ("UnpricedModelError", "my-own-model")
    await api.mutate("updateProject", "id", id=project, settings={"allowUnpricedModels": True})
    estimate = (await start(api, version, findingIds=findings))["estimate"]
    assert (estimate["low"], estimate["high"], estimate["priced"]) == (None, None, False)


@pytest.mark.parametrize(("limit", "values"), [("costLimit", {"costLimit": "0.000001"}), ("budgetLimit", {})])
async def test_what_the_limits_do_not_cover_is_refused(api, book, findings, limit, values):
    project, _, version = book
    if not values:
        await api.mutate("updateProject", "id", id=project, budgetLimit="0.000001")
    error = await refusal(api, version, findingIds=findings, **values)
    assert (error["__typename"], error["limitName"]) == ("BudgetExceededError", limit)
    assert (await money(api, project))["jobs"]["totalCount"] == 0


async def test_somebody_elses_findings_are_as_good_as_none(api, book, findings):
    ben = await api.newcomer()
    chapter = await ben.chapter(await ben.project(), text=TEXT)
    own = await ben.current_version(chapter)
    error = await refusal(ben, own, findingIds=findings[:1])
    assert (error["__typename"], error["id"]) == ("NotFoundError", findings[0])
    assert (await refusal(ben, book[2], instructions="Mine."))["path"] == ["input", "versionId"]
