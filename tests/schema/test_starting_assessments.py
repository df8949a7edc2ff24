"""Starting assessments: refused early and for free, or queued with the money for it held."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from domain.chapters import ChapterVersion, NewVersion, VersionOrigin
from domain.jobs.job import AssessmentRequest, Ending, JobStatus
from domain.llm.catalogue import ModelCatalogue
from domain.llm.model import REHEARSAL
from domain.paging import MAXIMUM_PAGE_SIZE
from domain.prompting.index.saved_text import NewText
from schema.ids import encode
from tests.api import MODEL, usd, uuid_of

JOB = """id kind status stage rehearsal priority costLimit chapter { id } result { __typename ... on Assessment { id } ... on ChapterVersion { number } }
    estimate { model promptTokens completionTokens low high priced }"""
BUDGET = "query($id: ID!) { project(id: $id) { budget { reserved } jobs(kind: [ASSESSMENT]) { totalCount } } }"


@pytest.fixture
async def book(api):
    project = await api.project(budgetLimit=1)
    chapter = await api.chapter(project, brief="A storm.", text="It rained. Mara lit the lamp.")
    return project, chapter, await api.current_version(chapter)


async def start(api, version, **values):
    return await api.mutate("startAssessment", JOB, versionId=version, **values)


async def refusal(api, version, **values):
    return await api.refusal("startAssessment", versionId=version, **values)


async def money(api, project):
    return (await api.ask(BUDGET, id=project))["project"]


async def request_of(api, job):
    async with api.services.library.reading(api.user.id) as records:
        return (await records.jobs.get_many([uuid_of(job)]))[uuid_of(job)].request


async def test_a_started_assessment_waits_with_its_highest_estimate_held(api, book):
    project, chapter, version = book
    job = await start(api, version, costLimit="0.5", priority="BULK")
    assert (job["kind"], job["status"], job["stage"], job["rehearsal"]) == ("ASSESSMENT", "QUEUED", "QUEUED", False)
    assert (job["priority"], job["costLimit"], job["chapter"], job["result"]) == ("BULK", "0.500000", {"id": chapter}, None)
    assert (job["estimate"]["model"], job["estimate"]["priced"]) == (MODEL, True)
    assert usd(job["estimate"]["high"]) > usd(job["estimate"]["low"]) > 0
    assert (await money(api, project))["budget"]["reserved"] == job["estimate"]["high"]
    expected = AssessmentRequest(version_id=uuid_of(version), model=MODEL, metrics_only=False)
    assert await request_of(api, job["id"]) == expected


async def test_a_longer_text_is_expected_to_cost_more(api, book):
    project, _, version = book
    longer = await api.current_version(await api.chapter(project, text="It rained on the causeway. " * 400))
    short, long = [await start(api, each) for each in (version, longer)]
    assert long["estimate"]["promptTokens"] > short["estimate"]["promptTokens"] + 2_000
    assert usd(long["estimate"]["high"]) > usd(short["estimate"]["high"])


async def test_the_judge_is_the_projects_assessor(api, book):
    project, _, version = book
    await api.mutate("updateProject", "id", id=project, settings={"model": "gpt-4o", "assessorModel": "gpt-4.1"})
    job = await start(api, version)
    assert job["estimate"]["model"] == "gpt-4.1"
    assert (await request_of(api, job["id"])).model == "gpt-4.1"


async def test_measuring_again_costs_nothing_and_needs_neither_a_price_nor_money(api, book):
    project, _, version = book
    await api.mutate("updateProject", "id", id=project, budgetLimit=0, settings={"assessorModel": "my-own-model"})
    job = await start(api, version, metricsOnly=True, costLimit=0)
    assert job["estimate"] == {
        "model": "",
        "promptTokens": 0,
        "completionTokens": 0,
        "low": "0.000000",
        "high": "0.000000",
        "priced": True,
    }
    assert (await request_of(api, job["id"])).metrics_only


async def test_a_judge_without_a_known_price_takes_the_owners_consent(api, book):
    project, _, version = book
    await api.mutate("updateProject", "id", id=project, settings={"assessorModel": "my-own-model"})
    error = await refusal(api, version)
    assert (error["__typename"], error["model"]) == ("UnpricedModelError", "my-own-model")
    await api.mutate("updateProject", "id", id=project, settings={"allowUnpricedModels": True})
    assert (await start(api, version))["estimate"]["high"] is None


async def test_a_rehearsal_judges_whatever_model_the_server_or_the_project_would_have_chosen(api, book):
    project, _, version = book
    await api.mutate("updateProject", "id", id=project, settings={"assessorModel": "gpt-4o"})
    models = ModelCatalogue(default=MODEL, prices=api.services.prices, rehearsal=True)
    services = replace(api.services, models=models, default_model=REHEARSAL, default_assessor_model="gpt-4.1")
    job = await start(replace(api, services=services), version)
    assert (job["rehearsal"], job["estimate"]["model"], job["estimate"]["high"]) == (True, REHEARSAL, "0.000000")


@pytest.mark.parametrize(("limit", "values"), [("costLimit", {"costLimit": "0.000001"}), ("budgetLimit", {})])
async def test_what_the_limits_do_not_cover_is_refused(api, book, limit, values):
    project, _, version = book
    if not values:
        await api.mutate("updateProject", "id", id=project, budgetLimit="0.000001")
    error = await refusal(api, version, **values)
    assert (error["__typename"], error["limitName"]) == ("BudgetExceededError", limit)
    assert (await money(api, project))["jobs"]["totalCount"] == 0


async def test_a_version_is_assessed_by_one_job_at_a_time_and_another_version_beside_it(api, book):
    project, chapter, version = book
    job = await start(api, version)
    error = await refusal(api, version, metricsOnly=True)
    assert (error["__typename"], error["path"], error["job"]["id"]) == ("JobConflictError", ["input", "versionId"], job["id"])
    assert error["message"] == "This version is being assessed already."
    await api.mutate("saveChapterText", "id", chapterId=chapter, text="It shone.")
    await start(api, await api.current_version(chapter))
    await api.job(chapter)
    assert (await money(api, project))["jobs"]["totalCount"] == 2


async def test_of_several_starts_at_the_same_time_one_is_taken(api, book):
    project, _, version = book
    payloads = await asyncio.gather(*(api.payload("startAssessment", "id", versionId=version) for _ in range(4)))
    assert sorted(len(payload["errors"]) for payload in payloads) == [0, 1, 1, 1]
    assert (await money(api, project))["jobs"]["totalCount"] == 1


async def test_the_same_key_answers_the_same_job_and_another_request_is_refused(api, book):
    _, chapter, version = book
    first = await start(api, version, idempotencyKey="k")
    assert (await start(api, version, idempotencyKey="k"))["id"] == first["id"]
    for values in ({"metricsOnly": True}, {"costLimit": "0.5"}, {"priority": "BULK"}):
        error = await refusal(api, version, idempotencyKey="k", **values)
        assert (error["__typename"], error["job"]["id"]) == ("IdempotencyConflictError", first["id"])
    other = await api.refusal("startChapterGeneration", chapterId=chapter, idempotencyKey="k")
    assert other["__typename"] == "IdempotencyConflictError"


async def test_a_version_without_a_text_is_not_assessed(api, book):
    _, chapter, _ = book
    blank = NewVersion(
        id=api.services.ids(),
        chapter_id=uuid_of(chapter),
        text=NewText.of(" \n"),
        word_count=0,
        token_count=1,
        origin=VersionOrigin.PARTIAL,
        created_at=api.clock(),
    )
    async with api.services.library.writing(api.user.id) as records:
        await records.versions.add(blank, make_current=False)
    error = await refusal(api, encode(ChapterVersion, blank.id), metricsOnly=True)
    assert (error["__typename"], error["path"]) == ("InvalidInputError", ["input", "versionId"])


async def test_the_result_of_an_assessment_is_an_assessment(api, book):
    _, _, version = book
    job = await start(api, version)
    made = await api.assessment(version)
    claim = await api.work(job["id"])
    await api.desk.finish(claim, Ending(status=JobStatus.SUCCEEDED, at=api.clock(), result_assessment_id=uuid_of(made)))
    found = await api.ask(f"query($id: ID!) {{ job(id: $id) {{ {JOB} }} }}", id=job["id"])
    assert found["job"]["result"] == {"__typename": "Assessment", "id": made}


async def test_a_cancelled_assessment_is_retried_unless_another_assesses_the_version(api, book):
    _, chapter, version = book
    job = await start(api, version)
    await api.mutate("cancelJob", "id", jobId=job["id"])
    other = await start(api, version)
    error = await api.refusal("retryJob", jobId=job["id"])
    assert (error["__typename"], error["path"], error["job"]["id"]) == ("JobConflictError", ["input", "jobId"], other["id"])
    assert error["message"] == "This version is being assessed already."
    await api.mutate("cancelJob", "id", jobId=other["id"])
    await api.job(chapter)
    assert (await api.mutate("retryJob", "status", jobId=job["id"]))["status"] == "QUEUED"


async def test_the_assessments_of_a_deleted_chapter_are_stopped(api, book):
    project, chapter, version = book
    other = await api.current_version(await api.chapter(project, text="Another."))
    job, kept = [await start(api, each, metricsOnly=True) for each in (version, other)]
    claim = await api.work(job["id"])
    async with api.services.wakeups.cancel_requests() as stopped, asyncio.timeout(20):
        await api.mutate("deleteChapter", None, id=chapter)
        assert await anext(stopped) == claim.job_id
    assert (await api.ask("query($id: ID!) { job(id: $id) { status } }", id=kept["id"]))["job"]["status"] == "QUEUED"


async def test_whatever_is_under_way_in_a_deleted_project_is_stopped(api, book):
    project, _, version = book
    claim = await api.work(await api.job(await api.chapter(project, brief="A storm.")))
    api.clock.advance(seconds=1)
    first = uuid_of((await start(api, version, metricsOnly=True))["id"])
    async with api.services.library.writing(api.user.id) as records:
        job = (await records.jobs.get_many([first]))[first]
        for _ in range(2 * MAXIMUM_PAGE_SIZE):
            request = replace(job.request, version_id=api.services.ids())
            await records.jobs.create(replace(job, id=api.services.ids(), request=request, last_sequence=0), reserve=Decimal(0))
    async with api.services.wakeups.cancel_requests() as stopped, asyncio.timeout(20):
        await api.mutate("deleteProject", None, id=project)
        assert await anext(stopped) == claim.job_id


async def test_members_who_may_only_read_start_nothing(api, book):
    project, _, version = book
    reader = await api.member(project, "COMMENTER")
    assert (await refusal(reader, version))["requiredRole"] == "EDITOR"
    stranger = await api.newcomer()
    assert (await refusal(stranger, version))["__typename"] == "NotFoundError"
