"""Users are known by their issuer and subject, and seen only by those they write with."""

import asyncio
from uuid import uuid4

from domain.access import Role, User
from domain.ports import Library
from tests.factories import NOON, add_member, add_project, add_user


async def seen(library: Library, *, subject: str = "s", name: str = "Ada", email: str | None = None, hours: int = 0) -> User:
    at = NOON.replace(hour=12 + hours)
    return await library.user_seen(issuer="i", subject=subject, name=name, email=email, new_id=uuid4(), at=at)


async def test_the_same_subject_is_the_same_user_with_a_fresh_profile(library: Library) -> None:
    first = await seen(library, email="ada@example.org")
    renamed = await seen(library, name="Ada L.", email="ada@example.org")
    unverified = await seen(library, name="Ada L.")
    assert {first.id, renamed.id, unverified.id} == {first.id}
    assert (renamed.name, renamed.email, unverified.email) == ("Ada L.", "ada@example.org", None)


async def test_a_user_who_is_first_seen_many_times_at_once_is_added_once(library: Library) -> None:
    users = await asyncio.gather(*(seen(library) for _ in range(8)))
    assert len({user.id for user in users}) == 1


async def test_an_address_is_found_without_regard_to_case_and_belongs_to_whoever_was_seen_last(library: Library) -> None:
    ada = await seen(library, email="Ada@Example.org")
    async with library.reading(ada.id) as records:
        assert await records.users.id_by_email("aDA@example.ORG") == ada.id
        assert await records.users.id_by_email("%") is None
    later = await seen(library, subject="t", email="ada@example.org", hours=2)
    async with library.reading(ada.id) as records:
        assert await records.users.id_by_email("ada@example.org") == later.id


async def test_users_see_themselves_and_those_they_share_a_project_with(library: Library) -> None:
    ada, bob, eve = await add_user(library), await add_user(library, "Bob"), await add_user(library, "Eve")
    await add_member(library, ada, await add_project(library, ada), bob, Role.VIEWER)
    everyone = [ada.id, bob.id, eve.id]
    async with library.reading(bob.id) as records:
        assert await records.users.get_many(everyone) == {ada.id: ada, bob.id: bob}
    async with library.reading(eve.id) as records:
        assert await records.users.get_many(everyone) == {eve.id: eve}
