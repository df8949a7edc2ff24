"""A project of Ada's with the secret in everything it holds, and people with and without a part in it, each with a shelf of their own."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import psycopg

from persistence.database import Database
from resolvers.authentication import LOCAL_ISSUER
from tests.api import Api, serving, uuid_of
from tests.conftest import APPLICATION_LOGIN
from tests.factories import Cluster, DatabasePool
from tests.persistence.job_world import RESULT, intent
from tests.security.tenancy.cases import Things
from tests.security.tenancy.contents import AllContents
from tests.security.tenancy.rights import NEWCOMER, ROLES
from tests.security.tenancy.shelf import fill_shelf

SECRET = "Zyzzyva"
OUTSIDERS = ("other tenant", "removed member")


@dataclass(frozen=True, kw_only=True)
class Person:
    """`elsewhere` is the same person where Ada's project has never been. `things` are their own."""

    api: Api
    elsewhere: Api
    things: Things


@dataclass(frozen=True, kw_only=True)
class World:
    """`victim` are Ada's things; `members` are people of her project by their roles, she among them."""

    victim: Things
    outsiders: Mapping[str, Person]
    members: Mapping[str, Api]
    contents: AllContents
    url: str

    @property
    def databases(self) -> tuple[Database, ...]:
        return (self.members["OWNER"].database,)

    def leaks(self, told: str, *, sent: Iterable[str] = ()) -> list[str]:
        """What is told of Ada's, but for the ids that were sent."""
        secrets = [SECRET.lower(), *(each for each in self.victim.values() if each not in set(sent))]
        return [secret for secret in secrets if secret in told.lower()]


async def _sign_in(api: Api, subject: str, *, name: str, email: str) -> Api:
    seen = await api.services.library.user_seen(
        issuer=LOCAL_ISSUER, subject=subject, name=name, email=email, new_id=api.services.ids(), at=api.clock()
    )
    return replace(api, user=seen)


async def _leave_something(api: Api, project: str, chapter: str) -> None:
    """What a member leaves behind who has written, started, paid and dismissed things."""
    await api.mutate("saveChapterText", "id", chapterId=chapter, text=f"{SECRET} came.")
    job = await api.job(chapter, instructions=SECRET, idempotencyKey="before leaving")
    claim = await api.work(job)
    call = intent()
    await api.desk.intend(claim, call)
    await api.desk.record(claim, call, RESULT, at=api.clock())
    await api.finish(claim)


@asynccontextmanager
async def new_world(cluster: Cluster, databases: DatabasePool) -> AsyncIterator[World]:
    async with AsyncExitStack() as parts:
        here, elsewhere = [await _serve(parts, cluster, databases) for _ in range(2)]
        contents, contents_elsewhere = [
            AllContents(parts.enter_context(psycopg.connect(cluster.url(name), autocommit=True))) for name, _ in (here, elsewhere)
        ]
        api = here[1]
        ada = await _sign_in(api, SECRET, name=f"Ada {SECRET}", email=f"{SECRET}@example.org")
        victim = await fill_shelf(ada, SECRET, contents.connection)
        members = {"OWNER": ada, **{role: await ada.member(victim["Project"], role) for role in ROLES[:-1]}}
        await api.newcomer("Nora", email=NEWCOMER)
        mallory, trudy = await api.newcomer("Mallory"), await ada.member(victim["Project"], "EDITOR")
        await _leave_something(trudy, victim["Project"], await ada.chapter(victim["Project"], title=SECRET))
        shelves = {
            who: await fill_shelf(person, "Ordinary", contents.connection) for who, person in zip(OUTSIDERS, (mallory, trudy), strict=True)
        }
        await ada.mutate("removeProjectMember", "id", projectId=victim["Project"], userId=shelves["removed member"]["User"])
        contents.keep()
        contents_elsewhere.copy_from(contents)
        contents_elsewhere.connection.execute("SET session_replication_role = origin")
        contents_elsewhere.connection.execute("DELETE FROM project WHERE id = %s", [uuid_of(victim["Project"])])
        yield World(
            victim=victim,
            outsiders={
                who: Person(api=person, elsewhere=replace(elsewhere[1], user=person.user), things=shelves[who])
                for who, person in zip(OUTSIDERS, (mallory, trudy), strict=True)
            },
            members=members,
            contents=contents,
            url=cluster.url(here[0], login=APPLICATION_LOGIN),
        )


async def _serve(parts: AsyncExitStack, cluster: Cluster, databases: DatabasePool) -> tuple[str, Api]:
    name = parts.enter_context(databases.borrow())
    database = Database(cluster.url(name, login=APPLICATION_LOGIN))
    parts.push_async_callback(database.close)
    return name, await parts.enter_async_context(serving(database))
