"""Sums over the ledger: by project, by user, by job, by day and by model."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.access import Role, User
from domain.ports import Library
from domain.projects import Project
from domain.spending import Usage
from tests.factories import NOON, add_member, add_project, add_user

ENTER = """
    INSERT INTO ledger_entry (id, at, user_id, project_id, job_id, step, epoch, model, calls,
                              prompt_tokens, cached_prompt_tokens, completion_tokens, cost, estimated, uncertain)
    VALUES (gen_random_uuid(), %s, %s, %s, %s, 'draft', 1, %s, 1, 100, 10, 50, %s, false, false)
"""
TOMORROW = NOON + timedelta(days=1)
PRICED = Usage(calls=1, prompt_tokens=100, cached_prompt_tokens=10, completion_tokens=50, cost=Decimal("0.010000"))
UNPRICED = Usage(calls=1, prompt_tokens=100, cached_prompt_tokens=10, completion_tokens=50, unpriced_calls=1)


class Ledger:
    def __init__(self, url: str) -> None:
        self._url = url

    def enter(self, user: User, project: Project, *, job_id: UUID, model: str, cost: str | None, at: datetime = NOON) -> None:
        with psycopg.connect(self._url) as connection:
            connection.execute(ENTER, (at, user.id, project.id, job_id, model, cost))


@pytest.fixture
def ledger(owner_url: str) -> Ledger:
    return Ledger(owner_url)


async def test_a_report_sums_up_days_and_models(library: Library, ledger: Ledger) -> None:
    ada = await add_user(library)
    project, unused = await add_project(library, ada), await add_project(library, ada)
    job = uuid4()
    ledger.enter(ada, project, job_id=job, model="a", cost="0.01")
    ledger.enter(ada, project, job_id=job, model="b", cost=None)
    ledger.enter(ada, project, job_id=job, model="a", cost="0.01", at=TOMORROW)
    async with library.reading(ada.id) as records:
        reports = await records.spending.report_of_projects([project.id, unused.id], since=None, until=None)
        assert reports[project.id].total == PRICED + UNPRICED + PRICED
        assert reports[project.id].by_day == ((date(2026, 3, 1), PRICED + UNPRICED), (date(2026, 3, 2), PRICED))
        assert reports[project.id].by_model == (("a", PRICED + PRICED), ("b", UNPRICED))
        assert reports[unused.id].total == Usage()
        second_day = await records.spending.report_of_user(since=TOMORROW, until=None)
        assert second_day.total == PRICED
        first_day = await records.spending.report_of_user(since=None, until=TOMORROW)
        assert first_day.total == PRICED + UNPRICED
        assert await records.spending.of_jobs([job]) == {job: PRICED + UNPRICED + PRICED}


async def test_a_user_is_told_what_they_spent_and_a_project_what_everybody_spent(library: Library, ledger: Ledger) -> None:
    ada, bob, eve = await add_user(library), await add_user(library, "Bob"), await add_user(library, "Eve")
    project = await add_project(library, ada)
    await add_member(library, ada, project, bob, Role.EDITOR)
    ledger.enter(ada, project, job_id=uuid4(), model="a", cost="0.01")
    job_of_bob = uuid4()
    ledger.enter(bob, project, job_id=job_of_bob, model="a", cost="0.01")
    async with library.reading(bob.id) as records:
        assert (await records.spending.report_of_user(since=None, until=None)).total == PRICED
        assert (await records.spending.report_of_projects([project.id], since=None, until=None))[project.id].total == PRICED + PRICED
        assert (await records.projects.budgets([project.id]))[project.id].spent == Decimal("0.02")
    async with library.reading(eve.id) as records:
        assert (await records.spending.report_of_projects([project.id], since=None, until=None))[project.id].total == Usage()
        assert await records.spending.of_jobs([job_of_bob]) == {job_of_bob: Usage()}
        assert await records.projects.budgets([project.id]) == {}
