"""Nobody in particular, and somebody whose token is over: refused by every transport, whatever they ask for."""

import json
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.security.tenancy.asking import belonging_to, ids_in, malformed, masked, nonexistent, with_ids
from tests.security.tenancy.cases import NESTED_ID_CASES, ROOT_CASES
from tests.security.tenancy.tokens import AUTHORIZATION, token
from tests.security.tenancy.world import SECRET
from tests.server.running import Running

CASES = [*ROOT_CASES, *NESTED_ID_CASES]
CLOSED_WITH = {"anonymous": 4401, "expired": 4403}
PREFLIGHT = {"GraphQL-Require-Preflight": "1"}
CHANGES = (str, nonexistent, malformed)
"""What may become of an id before it is sent."""


async def post(http, headers, document, variables) -> httpx2.Response:
    return await http.post("/graphql", json={"query": document, "variables": variables}, headers=headers)


async def get(http, headers, document, variables) -> httpx2.Response:
    parameters = {"query": document, "variables": json.dumps(variables)}
    return await http.get("/graphql", params=parameters, headers={**headers, **PREFLIGHT})


ASKED = [
    (case, send) for case in CASES for send in (post, get) if case.operation == "query" or (case.operation, send) == ("mutation", post)
]


@pytest.mark.parametrize("asker", AUTHORIZATION)
@pytest.mark.parametrize(("case", "send"), ASKED, ids=[f"{case} {send.__name__}" for case, send in ASKED])
async def test_requests_are_refused_alike_whatever_they_are_about(world, http, case, send, asker):
    sent = case.variables(belonging_to(world.victim))
    ids = ids_in(sent)
    asked = [with_ids(sent, ids, change) for change in CHANGES]
    with world.contents.unchanged():
        answers = [await send(http, AUTHORIZATION[asker], case.shallow_document, each) for each in asked]
    assert {answer.status_code for answer in answers} == {401}
    assert [error["extensions"]["code"] for error in answers[0].json()["errors"]] == ["UNAUTHENTICATED"]
    assert "data" not in answers[0].json()
    assert world.leaks(answers[0].text, sent=ids) == []
    assert len({masked(answer.text, map(change, ids)) for answer, change in zip(answers, CHANGES, strict=True)}) == 1


@pytest.mark.parametrize("accepted", ["text/event-stream", 'multipart/mixed;subscriptionSpec="1.0"', "*/*"])
@pytest.mark.parametrize("asker", AUTHORIZATION)
async def test_no_other_form_of_answer_tells_more(world, http, asker, accepted):
    """Subscriptions too, for which these forms are."""
    with world.contents.unchanged():
        for case in CASES:
            sent = case.variables(belonging_to(world.victim))
            answer = await post(http, {**AUTHORIZATION[asker], "Accept": accepted}, case.shallow_document, sent)
            assert answer.is_error or case.operation == "subscription", case.label
            assert world.leaks(answer.text, sent=ids_in(sent)) == [], case.label
            assert '"data"' not in answer.text, case.label


@pytest.mark.parametrize("asker", AUTHORIZATION)
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_sockets_are_closed_before_anything_is_asked(world, server, case, asker):
    payload = {"query": case.shallow_document, "variables": case.variables(belonging_to(world.victim))}
    with world.contents.unchanged():
        assert await frames(server, AUTHORIZATION[asker], payload) == ([], CLOSED_WITH[asker])
        assert await frames(server, None, payload) == ([], CLOSED_WITH["anonymous"])


async def test_with_a_token_that_is_good_the_same_is_answered(changing, server, http):
    """So that it is the token that the other tests are about."""
    good = {"Authorization": f"Bearer {token(hours=1)}"}
    document, variables = "query($id: ID!) { project(id: $id) { title } }", {"id": changing.victim["Project"]}
    assert SECRET in (await post(http, good, document, variables)).text
    assert SECRET in (await get(http, good, document, variables)).text
    told, _ = await frames(server, good, {"query": document, "variables": variables}, until="complete")
    assert [SECRET in json.dumps(frame) for frame in told] == [False, True, False]


async def frames(
    server: Running, init: dict[str, str] | None, payload: dict[str, Any], *, until: str | None = None
) -> tuple[list[dict[str, Any]], int | None]:
    """What comes back to an operation that is sent right behind the `connection_init`, or without one, and the code of the close."""
    told: list[dict[str, Any]] = []
    async with connect(f"{server.address.replace('http', 'ws', 1)}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        try:
            if init is not None:
                authorization = {name.lower(): value for name, value in init.items()}
                await socket.send(json.dumps({"type": "connection_init", "payload": authorization}))
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            while until is None or not told or told[-1]["type"] != until:
                told.append(json.loads(await socket.recv()))
        except ConnectionClosed:
            return told, socket.close_code
    return told, None
