"""The edge, as it is in production, under the attacks that have names: refused by a code, before anything was read or done."""

import json
import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.types import ASGIApp

from domain.access import User
from domain.ports import Library
from server import Scriptorium, World
from tests.security.asgi import Response, call, connected
from tests.security.leaks import leaks
from tests.security.named_attacks import ATTACKS, Attack
from tests.server.running import TEST_SETTINGS, token_for

LONGEST_ANSWER = 10_000
HARMLESS = Attack("{ viewer { user { name } projects { totalCount } } }")


@dataclass
class ClosedLibrary:
    """Knows who comes in, and opens nothing to them; `asked` counts who tried."""

    library: Library
    asked: int = 0

    async def user_seen(self, *, new_id: UUID, name: str, **_: Any) -> User:
        return User(id=new_id, name=name, email=None)

    def reading(self, user_id: UUID) -> Any:
        self.asked += 1
        return self.library.reading(user_id)

    def writing(self, user_id: UUID) -> Any:
        self.asked += 1
        return self.library.writing(user_id)


class Fortress:
    def __init__(self) -> None:
        settings = replace(TEST_SETTINGS, production=True, graphiql=False)
        scriptorium = Scriptorium(settings, "postgresql://nobody@127.0.0.1:1/nothing", world=World(library=self._closed))
        self.app: ASGIApp = scriptorium.app

    def _closed(self, library: Library) -> Any:
        self.library = ClosedLibrary(library)
        return self.library

    async def answers(self, attack: Attack) -> Response:
        headers = {
            "content-type": "application/json",
            "accept": "application/graphql-response+json",
            "authorization": f"Bearer {token_for('ada', ttl=timedelta(hours=1))}",
        }
        return await call(self.app, attack.content, headers=[(name.encode(), text.encode()) for name, text in headers.items()])


@pytest.fixture(scope="module")
def fortress() -> Fortress:
    return Fortress()


def codes(answer: Any) -> set[str]:
    return {error["extensions"]["code"] for error in answer["errors"]}


def test_there_are_forty_attacks_and_more():
    assert len(ATTACKS) >= 40


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_is_refused_before_anything_is_done_for_it(fortress: Fortress, name: str, caplog: pytest.LogCaptureFixture):
    attack, asked = ATTACKS[name], fortress.library.asked
    answer = await fortress.answers(attack)
    assert codes(answer.json) <= attack.codes, answer.body[:1000]
    # A field that refuses its arguments answers for itself: the rest of the operation may have been good.
    assert (answer.status, answer.json.get("data")) in {(400, None), (406, None), (200, None)}
    assert answer.status != 200 or "BAD_USER_INPUT" in attack.codes
    assert fortress.library.asked == asked
    assert len(answer.body) < LONGEST_ANSWER
    assert leaks(answer.json) == []
    assert b"Did you mean" not in answer.body
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info] == []


async def test_over_a_socket_the_attacks_are_refused_as_well_and_it_stays_open(fortress: Fortress):
    asked = fortress.library.asked
    documents = {name: attack for name, attack in ATTACKS.items() if attack.body is None and attack.document[:12] != "subscription"}
    async with connected(fortress.app) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": token_for("ada")}}))
        assert await socket.receive() == {"type": "connection_ack"}
        for name, attack in documents.items():
            socket.send(f'{{"type": "subscribe", "id": {json.dumps(name)}, "payload": {attack.content.decode()}}}')
            message = await socket.receive()
            assert message is not None, (name, socket.closing)
            refusal = message["payload"]
            assert codes({"errors": refusal} if message["type"] == "error" else refusal) <= attack.codes, (name, message)
            if message["type"] == "next":
                assert await socket.receive() == {"type": "complete", "id": name}
        socket.send('{"type": "ping"}')
        assert await socket.receive() == {"type": "pong"}
    assert fortress.library.asked == asked


async def test_what_is_no_attack_would_get_through(fortress: Fortress):
    asked = fortress.library.asked
    await fortress.answers(HARMLESS)
    assert fortress.library.asked > asked


async def test_nobody_learns_names_by_almost_guessing_them(fortress: Fortress):
    answer = await fortress.answers(Attack("query($f: ProjectFilterr) { projetcs projects(fisrt: 1, filter: {titel: 1}) { totalCoutn } }"))
    assert codes(answer.json) == {"GRAPHQL_VALIDATION_FAILED"}
    assert b"mean" not in answer.body
