"""Every address that is served is either one that the matrix goes through, or the same for everybody."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import pytest
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from schema.graphiql import BUILD
from server import Scriptorium
from tests.security.tenancy.tokens import AUTHORIZATION
from tests.server.running import TEST_SETTINGS

THROUGH_THE_MATRIX: Final = {("http", "/graphql"), ("websocket", "/graphql")}
SAME_FOR_EVERYBODY: Final = {
    ("http", "/healthz"),
    ("http", "/readyz"),
    ("http", "/"),
    ("http", "/graphiql"),
    ("http", "/graphiql/assets/{name}"),
}
ASSET: Final = next((BUILD / "graphiql" / "assets").glob("*.gz")).name.removesuffix(".gz")


def addresses(routes: Iterable[BaseRoute], *, below: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        match route:
            case Route(path=path):
                yield "http", below + path
            case WebSocketRoute(path=path):
                yield "websocket", below + path
            case Mount(path=path, routes=inner):
                yield "mount", below + path
                yield from addresses(inner, below=below + path)
            case _:
                raise AssertionError(f"What does {route} serve?")


@pytest.mark.parametrize("production", [False, True])
async def test_every_address_is_known(production):
    scriptorium = Scriptorium(replace(TEST_SETTINGS, production=production), "postgresql://nobody@127.0.0.1:1/nothing")
    try:
        assert set(addresses(scriptorium.app.routes)) == THROUGH_THE_MATRIX | SAME_FOR_EVERYBODY
    finally:
        await scriptorium.stop()


@pytest.mark.parametrize("asker", AUTHORIZATION)
@pytest.mark.parametrize(("_kind", "path"), sorted(SAME_FOR_EVERYBODY))
async def test_what_is_the_same_for_everybody_tells_nothing(world, http, _kind, path, asker):
    answers = []
    with world.contents.unchanged():
        for query in ({}, {"id": world.victim["Project"]}):
            answer = await http.get(path.format(name=ASSET), headers=AUTHORIZATION[asker], params=query)
            assert answer.status_code < 400
            assert world.leaks(answer.text) == []
            answers.append(answer.status_code)
    assert len(set(answers)) == 1
