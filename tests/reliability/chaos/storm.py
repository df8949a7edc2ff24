"""One run: everything is put up, the load begins, faults come until the last job has ended, and what is left is audited."""

import asyncio
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from commands.demo import documents
from domain.jobs.job import JobKind
from tests.fakes.model_server import ScriptedModelServer
from tests.reliability.chaos.audit import Violation, audit
from tests.reliability.chaos.authors import Author, Story
from tests.reliability.chaos.complaints import complaints
from tests.reliability.chaos.dossier import dossier
from tests.reliability.chaos.faults import FaultKind, Misfortune, faults_of
from tests.reliability.chaos.fleet import Fleet, fleet
from tests.reliability.chaos.plan import ChapterPlan, plan_of
from tests.reliability.chaos.postgres import RestlessPostgres, restless_postgres
from tests.reliability.chaos.records import Evidence
from tests.reliability.chaos.testimony import testimony, until_quiet
from tests.reliability.chaos.writer import Writer, whole_text
from tests.reliability.processes import environment

CHAPTERS_AT_ONCE = 8
BUDGET = "5.00"
CHOSEN = 2
"""Of what was measured of a text, to be revised."""

SAVE = """
mutation Save($input: SaveChapterTextInput!) {
  saveChapterText(input: $input) {
    chapter { currentVersion { id assessment { findings { id quote replacement } } } }
  }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """`in_flight`: jobs at a time; a job that has not ended after `patience_seconds` is given up. `settings` are for all processes."""

    seed: int
    runs: int
    servers: int = 2
    workers: int = 3
    in_flight: int = 32
    lease_seconds: float = 4
    drain_seconds: float = 2
    patience_seconds: float = 300
    shortest_pause: float = 0.5
    longest_pause: float = 2.5
    chunk_seconds: float = 0.06
    settings: Mapping[str, str] = field(default_factory=lambda: {"SCRIPTORIUM_WORKERS_IN_PROCESS": "4"})


@dataclass(kw_only=True)
class Outcome:
    weather: Weather
    evidence: Evidence
    stories: Sequence[Story]
    faults: Counter[FaultKind]
    troubles: Counter[str]
    complaints: Counter[str]
    drains: Sequence[float]
    outages: Sequence[float]
    started: int
    surprises: Sequence[str]
    seconds: float
    violations: Sequence[Violation]
    kept: Path | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What somebody needs who wants to do harm."""

    weather: Weather
    misfortune: Misfortune
    model: ScriptedModelServer


async def at_random(scene: Scene) -> None:
    """All faults, one soon after the other, until the last job has ended."""
    weather = scene.weather
    faults = faults_of(weather.seed, shortest_pause=weather.shortest_pause, longest_pause=weather.longest_pause)
    await scene.misfortune.rage(faults)


async def storm(
    weather: Weather, *, plans: Sequence[ChapterPlan] | None = None, harm: Callable[[Scene], Awaitable[None]] = at_random
) -> Outcome:
    """Run it, and audit what is left. Logs are kept when something was wrong."""
    plans = plan_of(weather.seed, weather.runs) if plans is None else plans
    folder = Path(tempfile.mkdtemp(prefix="scriptorium-chaos-logs-"))
    writer = Writer(time.time, delay=weather.chunk_seconds)
    async with (
        restless_postgres() as postgres,
        ScriptedModelServer(default=writer) as model,
        fleet(folder, _environment(folder, weather, postgres, model), servers=weather.servers, workers=weather.workers) as company,
        _authors(weather, plans, company) as authors,
    ):
        stories = await _put_up(authors, plans)
        began = time.monotonic()
        misfortune = Misfortune(company, postgres, weather.lease_seconds)
        harming = asyncio.create_task(harm(Scene(weather, misfortune, model)), name="harm")
        await _live_through(stories, authors, in_flight=weather.in_flight)
        harming.cancel()
        await asyncio.wait({harming})
        if not harming.cancelled():
            harming.result()
        seconds = time.monotonic() - began
        await company.everybody()
        await until_quiet(postgres, model)
        evidence = await testimony(stories, authors, postgres, writer)
    outcome = Outcome(
        weather=weather,
        evidence=evidence,
        stories=stories,
        faults=misfortune.happened,
        troubles=sum((author.troubles for author in authors.values()), Counter()),
        complaints=complaints(folder),
        drains=company.drains,
        outages=misfortune.outages,
        started=company.started,
        surprises=company.surprises,
        seconds=seconds,
        violations=[*audit(evidence), *(Violation("surprise", "processes", surprise) for surprise in company.surprises)],
    )
    if outcome.violations:
        outcome.kept = _keep(folder, evidence, outcome.violations)
    else:
        shutil.rmtree(folder)
    return outcome


def _keep(folder: Path, evidence: Evidence, violations: Sequence[Violation]) -> Path:
    """What the processes said stays, and with it a dossier of each job that something is wrong with."""
    subjects = {violation.subject for violation in violations}
    for job_id in evidence.jobs:
        if str(job_id) in subjects:
            (folder / f"job-{job_id}.txt").write_text("\n".join(dossier(evidence, job_id)), encoding="utf-8")
    return folder


def _environment(folder: Path, weather: Weather, postgres: RestlessPostgres, model: ScriptedModelServer) -> dict[str, str]:
    return environment(
        folder,
        database_url=postgres.url,
        model_url=model.url,
        SCRIPTORIUM_ENV="production",
        SCRIPTORIUM_LEASE_SECONDS=f"{weather.lease_seconds}",
        SCRIPTORIUM_DRAIN_SECONDS=f"{weather.drain_seconds}",
        **weather.settings,
    )


@asynccontextmanager
async def _authors(weather: Weather, plans: Sequence[ChapterPlan], company: Fleet) -> AsyncIterator[dict[str, Author]]:
    users = sorted({plan.user for plan in plans})
    authors = {
        user: Author(user, lambda: company.addresses, Random(f"{user} of {weather.seed}"), weather.patience_seconds) for user in users
    }
    yield authors
    for author in authors.values():
        await author.aclose()


async def _put_up(authors: Mapping[str, Author], plans: Sequence[ChapterPlan]) -> list[Story]:
    """Projects with their chapters, made while nothing is wrong yet."""
    projects: dict[int, str] = {}
    for plan in sorted(plans, key=lambda plan: plan.number):
        if plan.project not in projects:
            settings = {"maxRevisions": plan.most_revisions}
            given = {"title": f"Book {plan.project}", "genre": "MYSTERY", "budgetLimit": BUDGET, "settings": settings}
            made = await authors[plan.user].ask(documents.CREATE_PROJECT, input=given)
            projects[plan.project] = made["project"]["id"]
    places = asyncio.Semaphore(CHAPTERS_AT_ONCE)

    async def chapter(plan: ChapterPlan) -> Story:
        words = len(whole_text(plan.code).split())
        given = {"projectId": projects[plan.project], "title": plan.code, "brief": "The lamp.", "targetWordCount": words}
        author = authors[plan.user]
        async with places:
            made = await author.ask(documents.CREATE_CHAPTER, input=given)
            story = Story(plan, projects[plan.project], made["chapter"]["id"])
            if plan.kind is not JobKind.CHAPTER:
                saved = await author.ask(SAVE, input={"chapterId": story.chapter_id, "text": whole_text(plan.code)})
                version = saved["chapter"]["currentVersion"]
                story.version_id = version["id"]
                found = [each["id"] for each in version["assessment"]["findings"] if each["quote"] and each["replacement"] is None]
                story.finding_ids = found[:CHOSEN]
        return story

    return await asyncio.gather(*(chapter(plan) for plan in plans))


async def _live_through(stories: Sequence[Story], authors: Mapping[str, Author], *, in_flight: int) -> None:
    places = asyncio.Semaphore(in_flight)

    async def one(story: Story) -> None:
        async with places:
            await authors[story.plan.user].live_through(story)

    await asyncio.gather(*(one(story) for story in stories))
