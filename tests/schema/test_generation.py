"""Starting chapter generations: refused early and for free, or queued with the money for it held."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from domain.identifiers import uuid7
from domain.jobs.job import Job
from schema.ids import encode
from tests.api import usd, uuid_of
from tests.factories import a_chapter

JOB = """id kind status stage progress attempt text rehearsal costLimit createdAt startedAt finishedAt failure { code }
    estimate { model promptTokens completionTokens low high priced } startedBy { name } chapter { id } project { id } result { __typename }"""
BUDGET = "query($id: ID!) { project(id: $id) { budget { limit spent reserved remaining } jobs { totalCount } } }"


@pytest.fixture
async def book(api):
    project = await api.project(budgetLimit=1)
    return project, await api.chapter(project, brief="A storm.")


async def start(api, chapter, **values):
    return await api.mutate("startChapterGeneration", JOB, chapterId=chapter, **values)


async def refusal(api, chapter, **values):
    return await api.refusal("startChapterGeneration", chapterId=chapter, **values)


async def consent(api, project):
    await api.mutate("updateProject", "id", id=project, settings={"allowUnpricedModels": True})


async def money(api, project):
    return (await api.ask(BUDGET, id=project))["project"]


async def test_a_started_job_waits_with_its_highest_estimate_held(api, book):
    project, chapter = book
    job = await start(api, chapter, costLimit="0.5")
    assert (job["kind"], job["status"], job["stage"], job["progress"], job["attempt"]) == ("CHAPTER", "QUEUED", "QUEUED", 0.0, 0)
    assert (job["text"], job["rehearsal"], job["costLimit"], job["failure"], job["result"]) == ("", False, "0.500000", None, None)
    assert (job["createdAt"], job["startedAt"], job["finishedAt"]) == ("2026-03-01T12:00:00.000000Z", None, None)
    assert (job["startedBy"], job["chapter"], job["project"]) == ({"name": "Ada"}, {"id": chapter}, {"id": project})
    budget = (await money(api, project))["budget"]
    assert budget["reserved"] == job["estimate"]["high"]
    assert usd(budget["remaining"]) == 1 - usd(job["estimate"]["high"])


async def test_the_estimate_is_that_of_the_preview(api, book):
    _, chapter = book
    document = "query($input: PromptPreviewInput!) { promptPreview(input: $input) { estimate { model promptTokens completionTokens low high priced } } }"
    preview = await api.ask(document, input={"chapterId": chapter, "model": "gpt-4o", "tokenBudget": 4000})
    assert (await start(api, chapter, model="gpt-4o", tokenBudget=4000))["estimate"] == preview["promptPreview"]["estimate"]


async def test_a_chapter_is_written_by_one_job_at_a_time(api, book):
    project, chapter = book
    job = await start(api, chapter)
    error = await refusal(api, chapter)
    assert (error["__typename"], error["code"], error["job"]["id"]) == ("JobConflictError", "CONFLICT", job["id"])
    assert (await money(api, project))["jobs"]["totalCount"] == 1


async def test_of_several_starts_at_the_same_time_one_is_taken(api, book):
    project, chapter = book
    payloads = await asyncio.gather(*(api.payload("startChapterGeneration", "id", chapterId=chapter) for _ in range(5)))
    assert sorted(len(payload["errors"]) for payload in payloads) == [0, 1, 1, 1, 1]
    assert (await money(api, project))["jobs"]["totalCount"] == 1


async def test_the_same_key_answers_the_same_job_also_when_it_could_not_be_started_any_more(api, book):
    project, chapter = book
    first = await start(api, chapter, idempotencyKey="k", instructions="Darker.", costLimit="0.5")
    await api.mutate("updateProject", "id", id=project, budgetLimit=0, settings={"model": "gpt-4o"})
    again = await start(api, chapter, idempotencyKey="k", instructions="Darker.", costLimit="0.500000")
    assert again["id"] == first["id"]
    assert (await money(api, project))["jobs"]["totalCount"] == 1


async def test_the_same_key_at_the_same_time_starts_one_job(api, book):
    project, chapter = book
    jobs = await asyncio.gather(*(start(api, chapter, idempotencyKey="k") for _ in range(5)))
    assert len({job["id"] for job in jobs}) == 1
    assert (await money(api, project))["jobs"]["totalCount"] == 1


@pytest.mark.parametrize("values", [{"instructions": "Lighter."}, {"model": "gpt-4o"}, {"tokenBudget": 9000}, {"costLimit": "0.9"}])
async def test_a_key_cannot_be_used_for_another_request(api, book, values):
    _, chapter = book
    job = await start(api, chapter, idempotencyKey="k")
    error = await refusal(api, chapter, idempotencyKey="k", **values)
    assert (error["__typename"], error["code"], error["job"]) == ("IdempotencyConflictError", "IDEMPOTENCY_MISMATCH", {"id": job["id"]})


async def test_a_key_is_forgotten_after_a_day(api, book):
    _, chapter = book
    first = await start(api, chapter, idempotencyKey="k")
    await api.mutate("cancelJob", "id", jobId=first["id"])
    api.clock.advance(hours=24, seconds=1)
    assert (await start(api, chapter, idempotencyKey="k"))["id"] != first["id"]


async def test_keys_of_different_people_are_different_keys(api, book):
    project, chapter = book
    other = await api.member(project, "EDITOR")
    await start(api, chapter, idempotencyKey="k")
    assert (await refusal(other, chapter, idempotencyKey="k"))["__typename"] == "JobConflictError"


async def test_an_estimate_above_the_requests_own_limit_is_refused(api, book):
    project, chapter = book
    error = await refusal(api, chapter, costLimit="0.000001")
    assert (error["__typename"], error["limitName"], error["limit"]) == ("BudgetExceededError", "costLimit", "0.000001")
    assert (error["code"], error["path"]) == ("BUDGET_EXCEEDED", ["input", "costLimit"])
    assert await money(api, project) == {
        "budget": {"limit": "1.000000", "spent": "0.000000", "reserved": "0.000000", "remaining": "1.000000"},
        "jobs": {"totalCount": 0},
    }


async def test_two_jobs_at_the_same_time_cannot_reserve_the_same_money(api, book):
    project, chapter = book
    high = usd((await start(api, chapter))["estimate"]["high"])
    others = [await api.chapter(project, brief="A storm.") for _ in range(3)]
    await api.mutate("updateProject", "id", id=project, budgetLimit=str(round(high * Decimal("2.5"), 6)))
    payloads = await asyncio.gather(*(api.payload("startChapterGeneration", "id", chapterId=other) for other in others))
    errors = [error for payload in payloads for error in payload["errors"]]
    assert [(error["__typename"], error["limitName"]) for error in errors] == [("BudgetExceededError", "budgetLimit")] * 2
    budget = (await money(api, project))["budget"]
    assert usd(budget["reserved"]) <= usd(budget["limit"])


async def test_a_model_without_a_price_is_started_with_the_owners_consent_only_and_nothing_is_held(api, book):
    project, chapter = book
    error = await refusal(api, chapter, model="my-own-model")
    assert (error["__typename"], error["code"], error["model"]) == ("UnpricedModelError", "CONSENT_REQUIRED", "my-own-model")
    assert "allowUnpricedModels" in error["message"]

    await consent(api, project)
    await start(api, chapter, model="my-own-model", costLimit="0.000001")
    assert (await money(api, project))["budget"]["reserved"] == "0.000000"


async def test_consent_to_models_without_a_price_is_for_owners(api, book):
    project, _ = book
    ben = await api.member(project, "EDITOR")
    error = await ben.refusal("updateProject", id=project, settings={"allowUnpricedModels": True})
    assert (error["__typename"], error["requiredRole"]) == ("ForbiddenError", "OWNER")
    await ben.mutate("updateProject", "id", id=project, settings={"temperature": 0.5})


async def test_what_a_person_may_spend_in_a_month_is_shown_and_held_in_all_their_projects(api, book):
    _, chapter = book
    high = usd((await start(api, chapter))["estimate"]["high"])
    left = Decimal("0.000001")
    limited = replace(api, services=replace(api.services, monthly_limit=high + left))
    elsewhere = await limited.chapter(await limited.project(), brief="A storm.")
    error = await refusal(limited, elsewhere)
    assert (error["__typename"], error["limitName"], usd(error["limit"])) == ("BudgetExceededError", "monthlyLimit", left)
    month = (await limited.ask("{ viewer { monthlyBudget { limit reserved remaining } } }"))["viewer"]["monthlyBudget"]
    assert {name: usd(amount) for name, amount in month.items()} == {
        "limit": high + left,
        "reserved": high,
        "remaining": left,
    }


async def test_starts_at_the_same_time_in_several_projects_cannot_spend_the_same_month(api):
    chapters = [await api.chapter(await api.project(), brief="A storm.") for _ in range(6)]
    high = usd((await start(api, chapters.pop()))["estimate"]["high"])
    limited = replace(api, services=replace(api.services, monthly_limit=high * Decimal("3.5")))
    payloads = await asyncio.gather(*(limited.payload("startChapterGeneration", "id", chapterId=chapter) for chapter in chapters))
    assert [error["limitName"] for payload in payloads for error in payload["errors"]] == ["monthlyLimit"] * 3


async def test_a_job_that_somebody_else_retries_is_not_paid_for_by_their_month_and_holds_nothing_of_its_starters(api, book):
    project, chapter = book
    job = await start(api, chapter)
    await api.mutate("cancelJob", "id", jobId=job["id"])
    limited = replace(api, services=replace(api.services, monthly_limit=Decimal("0.000001")))
    ben = await limited.member(project, "EDITOR")
    assert (await limited.refusal("retryJob", jobId=job["id"]))["limitName"] == "monthlyLimit"
    assert (await ben.mutate("retryJob", "status", jobId=job["id"]))["status"] == "QUEUED"
    assert (await money(api, project))["budget"]["reserved"] == "0.000000"


async def test_a_cost_limit_can_be_changed_while_the_job_has_not_ended(api, book):
    _, chapter = book
    job = await start(api, chapter, costLimit="0.5")
    changed = await api.mutate("changeJobCostLimit", "costLimit", jobId=job["id"], costLimit="0.75")
    assert changed == {"costLimit": "0.750000"}
    assert (await api.mutate("changeJobCostLimit", "costLimit", jobId=job["id"], costLimit=None)) == {"costLimit": None}
    for values, path in (({}, "costLimit"), ({"costLimit": -1}, "costLimit")):
        error = await api.refusal("changeJobCostLimit", jobId=job["id"], **values)
        assert (error["code"], error["path"]) == ("INVALID", ["input", path])
    await api.mutate("cancelJob", "id", jobId=job["id"])
    assert (await api.refusal("changeJobCostLimit", jobId=job["id"], costLimit=1))["path"] == ["input", "jobId"]


async def test_a_job_says_whether_anybody_waits_for_it(api, book):
    project, chapter = book
    await start(api, chapter)
    other = await api.chapter(project, brief="A storm.")
    await start(api, other, priority="BULK")
    found = await api.ask("query($id: ID!) { project(id: $id) { jobs { nodes { priority } } } }", id=project)
    assert [job["priority"] for job in found["project"]["jobs"]["nodes"]] == ["BULK", "INTERACTIVE"]


async def test_a_prompt_that_cannot_fit_is_refused_before_anything_is_spent(api, book):
    project, _ = book
    chapter = await api.chapter(project, brief="word " * 3000)
    error = await refusal(api, chapter, tokenBudget=500)
    assert (error["__typename"], error["code"], error["tokenBudget"]) == ("PromptTooSmallError", "PROMPT_TOO_SMALL", 500)
    assert error["tokensRequired"] > 3000
    assert error["parts"][0]["tokens"] > 2000
    assert (await money(api, project))["jobs"]["totalCount"] == 0


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (["instructions"], {"instructions": "x" * 10_001}),
        (["tokenBudget"], {"tokenBudget": 1_000_001}),
        (["costLimit"], {"costLimit": -1}),
        (["model"], {"model": "rehearsal"}),
        (["idempotencyKey"], {"idempotencyKey": ""}),
        (["idempotencyKey"], {"idempotencyKey": "x" * 201}),
        (["idempotencyKey"], {"idempotencyKey": "a\tb"}),
    ],
)
async def test_values_that_cannot_be_accepted_are_named_and_start_nothing(api, book, path, values):
    project, chapter = book
    error = await refusal(api, chapter, **values)
    assert (error["__typename"], error["path"]) == ("InvalidInputError", ["input", *path])
    assert (await money(api, project))["jobs"]["totalCount"] == 0


async def test_pins_must_be_of_the_same_project(api, book):
    project, chapter = book
    own, foreign = await api.reference_file(project), await api.reference_file(await api.project())
    error = await refusal(api, chapter, include=[own, foreign])
    assert (error["__typename"], error["id"], error["path"]) == ("NotFoundError", foreign, ["input", "include", "1"])
    await start(api, chapter, include=[own], exclude=[await api.chapter(project)])


async def test_a_person_has_at_most_two_hundred_unfinished_jobs(api):
    project = await api.project()
    await consent(api, project)
    first = uuid_of(await api.job(await api.chapter(project), model="my-own-model"))
    async with api.services.library.writing(api.user.id) as records:
        job = (await records.jobs.get_many([first]))[first]
        written = (await records.projects.get_many([job.project_id]))[job.project_id]
        for position in range(2, 201):
            chapter = a_chapter(written, position=position)
            await records.chapters.create(chapter)
            await records.jobs.create(replace(job, id=uuid7(), chapter_id=chapter.id, last_sequence=0), reserve=Decimal(0))
    chapter = await api.chapter(project)
    error = await refusal(api, chapter)
    assert (error["__typename"], error["limitName"], error["maximum"]) == ("LimitExceededError", "unfinishedJobs", 200)
    await api.mutate("cancelJob", "id", jobId=encode(Job, first))
    await start(api, chapter)


async def test_a_job_is_told_how_the_project_has_drafts_assessed(api, book):
    project, chapter = book
    await api.mutate("updateProject", "id", id=project, settings={"assessorModel": "gpt-4.1", "qualityTarget": 82.5, "maxRevisions": 3})
    job = uuid_of((await start(api, chapter))["id"])
    async with api.services.library.reading(api.user.id) as records:
        request = (await records.jobs.get_many([job]))[job].request
    assert (request.assessor_model, request.quality_target, request.max_revisions) == ("gpt-4.1", 82.5, 3)


async def test_an_assessor_without_a_known_price_does_not_keep_a_chapter_from_being_written(api, book):
    project, chapter = book
    await api.mutate("updateProject", "id", id=project, settings={"assessorModel": "my-own-model"})
    assert (await start(api, chapter))["estimate"]["priced"]
