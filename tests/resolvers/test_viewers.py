"""Who a token speaks for: the same user every time, with the profile of the token seen last."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from domain.access import User, Viewer
from persistence.library import PostgresLibrary
from resolvers.authentication import AuthenticationFailed, issue_development_token, local_authenticator
from resolvers.viewers import FRESH_FOR, Viewers
from tests.factories import CountedIds, ManualClock

SECRET = "tests-only-secret-of-at-least-32-bytes"


class Door:
    """A process's viewers, and tokens to come in with."""

    def __init__(self, library: PostgresLibrary) -> None:
        self.clock = ManualClock()
        self.library = library
        self.viewers = self.another()

    def another(self) -> Viewers:
        authenticator = local_authenticator(SECRET, now=self.clock)
        return Viewers(authenticator=authenticator, library=self.library, clock=self.clock, ids=CountedIds())

    def token(self, subject: str = "ada", *, name: str | None = "Ada", email: str | None = "ada@example.com") -> str:
        return issue_development_token(SECRET, subject=subject, name=name, email=email, ttl=timedelta(hours=1), now=self.clock())

    async def enters(self, subject: str = "ada", **claims: str | None) -> User:
        return (await self.viewers.authenticate(self.token(subject, **claims))).user

    async def kept(self, user_id: UUID) -> User:
        async with self.library.reading(user_id) as records:
            return (await records.users.get_many([user_id]))[user_id]


@pytest.fixture
def door(library: PostgresLibrary) -> Door:
    return Door(library)


async def test_a_token_speaks_for_the_same_user_every_time_and_in_every_process(door: Door):
    first = await door.enters()
    assert (first.name, first.email) == ("Ada", "ada@example.com")
    assert await door.enters() == first
    assert await door.another().authenticate(door.token()) == Viewer(first, door.clock() + timedelta(hours=1))
    assert (await door.enters("ben", name="Ben", email=None)).id != first.id


async def test_first_requests_that_come_together_are_one_user(door: Door):
    users = await asyncio.gather(*(door.enters() for _ in range(5)))
    assert len({user.id for user in users}) == 1


async def test_a_changed_profile_is_kept_at_once_also_when_it_changes_back(door: Door):
    for name in ("Ada", "Ada Lovelace", "Ada"):
        user = await door.enters(name=name)
        assert user.name == name
        assert await door.kept(user.id) == user


async def test_what_another_process_has_changed_is_seen_in_a_few_minutes(door: Door):
    await door.enters()
    user = (await door.another().authenticate(door.token(name="Countess"))).user
    door.clock.advance(seconds=FRESH_FOR.total_seconds())
    await door.enters()
    assert (await door.kept(user.id)).name == "Ada"


@pytest.mark.parametrize(
    ("subject", "email", "name"), [("ada", "countess@example.com", "countess"), ("ada@example.com", None, "ada"), ("@ada", None, "@ada")]
)
async def test_somebody_without_a_name_gets_one(door: Door, subject: str, email: str | None, name: str):
    assert (await door.enters(subject, name=None, email=email)).name == name


async def test_a_token_of_somebody_else_is_refused(door: Door):
    forged = issue_development_token("x" * 32, subject="ada", name="Ada", email=None, ttl=timedelta(hours=1), now=door.clock())
    with pytest.raises(AuthenticationFailed):
        await door.viewers.authenticate(forged)
