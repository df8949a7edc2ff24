"""A token is verified once in a while, and never accepted when it has expired."""

from datetime import timedelta

import pytest

from resolvers.authentication import CLOCK_SKEW, AuthenticationFailed, Claims
from resolvers.remembered_tokens import FOR, REMEMBERED, RememberedTokens
from tests.factories import NOON, ManualClock

LIFE = timedelta(minutes=5)


class Counting:
    """Accepts what is good, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    async def authenticate(self, token: object) -> Claims:
        self.asked.append(token)
        if not str(token).startswith("good"):
            raise AuthenticationFailed
        return Claims(issuer="i", subject=str(token), name=None, email=None, email_verified=False, expires_at=NOON + LIFE)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def verifier() -> Counting:
    return Counting()


@pytest.fixture
def remembered(verifier: Counting, clock: ManualClock) -> RememberedTokens:
    return RememberedTokens(verifier, now=clock)


async def test_a_token_is_verified_again_after_a_while(remembered: RememberedTokens, verifier: Counting, clock: ManualClock):
    for seconds, times in ((0, 1), (10, 1), (FOR.total_seconds() - 11, 1), (1, 2), (1, 2)):
        clock.advance(seconds=seconds)
        assert (await remembered.authenticate("good")).subject == "good"
        assert len(verifier.asked) == times


async def test_a_token_that_has_expired_is_refused_although_it_is_remembered(remembered: RememberedTokens, clock: ManualClock):
    clock.advance(seconds=(LIFE + CLOCK_SKEW).total_seconds() - 1)
    await remembered.authenticate("good")
    clock.advance(seconds=2)
    with pytest.raises(AuthenticationFailed):
        await remembered.authenticate("good")


@pytest.mark.parametrize("token", ["bad", None, 7, ["good"], {"a": 1}])
async def test_what_is_not_valid_is_refused_each_time_and_not_remembered(remembered: RememberedTokens, verifier: Counting, token: object):
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            await remembered.authenticate(token)
    assert verifier.asked == [token] * 3


async def test_a_clock_that_is_set_back_does_not_lengthen_the_memory(remembered: RememberedTokens, verifier: Counting, clock: ManualClock):
    await remembered.authenticate("good")
    clock.advance(seconds=-3600)
    await remembered.authenticate("good")
    assert len(verifier.asked) == 2


async def test_the_memory_is_bounded(remembered: RememberedTokens, verifier: Counting):
    for number in range(REMEMBERED + 1):
        await remembered.authenticate(f"good {number}")
    await remembered.authenticate(f"good {REMEMBERED}")
    assert len(verifier.asked) == REMEMBERED + 1
    await remembered.authenticate("good 0")
    assert len(verifier.asked) == REMEMBERED + 2
