"""An issuer that changes its key while people work: nobody is sent away, and the old key ends."""

import asyncio
import json
from datetime import timedelta

import httpx2
import pytest

from resolvers.authentication import AuthenticationFailed, issuer_authenticator
from resolvers.signing_keys import PublishedKeys
from tests.resolvers.identity_provider import AUDIENCE, ISSUER, NAME, NOW


class Rotation:
    """The provider's key server, and an application in front of which the clock can be moved."""

    def __init__(self, *published):
        self.published = published
        self.now = NOW
        self.down = False
        self.asked = 0
        self.authenticator = issuer_authenticator(
            PublishedKeys(self.fetch, now=lambda: self.now), issuer=NAME, audience=AUDIENCE, now=lambda: self.now
        )

    async def fetch(self):
        self.asked += 1
        if self.down:
            raise httpx2.ConnectError("down")
        return json.dumps({"keys": [ISSUER.published(name, "RS256") for name in self.published]}).encode()

    async def accepts(self, name):
        """Whether a fresh token signed with this key is believed now, after whatever renewal is under way."""
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        try:
            claims = await self.authenticator.authenticate(ISSUER.token(name, "RS256", at=self.now))
        except AuthenticationFailed:
            return False
        assert claims.subject == "ada"
        return True

    def wait(self, **duration):
        self.now += timedelta(**duration)


async def test_a_rotation_turns_nobody_away():
    issuer = Rotation("rsa")
    assert await issuer.accepts("rsa")
    assert not await issuer.accepts("next rsa")
    issuer.published = ("rsa", "next rsa")
    issuer.wait(minutes=1)
    for _ in range(5):
        assert await issuer.accepts("next rsa")
        assert await issuer.accepts("rsa")
        issuer.wait(minutes=3)
    issuer.published = ("next rsa",)
    issuer.wait(minutes=10)
    await issuer.accepts("next rsa")
    assert not await issuer.accepts("rsa")
    assert await issuer.accepts("next rsa")


async def test_a_new_key_without_an_overlap_is_believed_a_minute_after_the_last_question_at_the_latest():
    issuer = Rotation("rsa")
    assert await issuer.accepts("rsa")
    issuer.published = ("next rsa",)
    issuer.wait(seconds=59)
    assert not await issuer.accepts("next rsa")
    issuer.wait(seconds=1)
    assert await issuer.accepts("next rsa")
    assert not await issuer.accepts("rsa")
    assert issuer.asked == 2


@pytest.mark.parametrize("hours", [1, 100])
async def test_while_the_key_server_is_down_the_keys_it_gave_go_on_and_no_other(hours):
    issuer = Rotation("rsa")
    assert await issuer.accepts("rsa")
    issuer.down = True
    issuer.wait(hours=hours)
    assert await issuer.accepts("rsa")
    assert not await issuer.accepts("next rsa")
    issuer.down, issuer.published = False, ("next rsa",)
    issuer.wait(minutes=1)
    assert await issuer.accepts("next rsa")
    assert not await issuer.accepts("rsa")
