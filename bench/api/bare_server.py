"""The peer, in a process of its own: Starlette, asyncpg, and one statement whose answer is passed on as it is.

It does what an API of this kind cannot do without: it verifies the same token, and reads in a transaction that acts for the user. It reads
the same requests, but chooses the statement by the address instead of reading the document.
"""

import argparse
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import orjson
import uvicorn
from jose import JWTError, jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.api import statements
from bench.api.cases import CASES, Case
from commands.http_server import server_config
from commands.serve import BACKLOG
from persistence.urls import DatabaseAddress
from server import LIMITS
from settings import LOCAL_AUDIENCE, LOCAL_ISSUER

CONNECTIONS = 10
MANY = 10**9

Connection = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


class BareServer:
    def __init__(self, database_url: str, secret: str) -> None:
        self._database_url = database_url
        self._secret = secret
        self._users: dict[str, str] = {}
        self.app = Starlette(
            routes=[Route(f"/{name}", self._answering(case), methods=["POST"]) for name, case in CASES.items()],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        arguments = DatabaseAddress.parse(self._database_url).asyncpg_arguments(settings={"jit": "off", "timezone": "UTC"})
        # What a transaction has set ends with it, so a connection that is given back has nothing to be reset.
        async with asyncpg.create_pool(**arguments, min_size=1, max_size=CONNECTIONS, max_queries=MANY, reset=_leave) as self._pool:
            yield

    def _answering(self, case: Case) -> Callable[[Request], Awaitable[Response]]:
        read_only = "off" if case.writes else "on"

        async def answer(request: Request) -> Response:
            try:
                claims = self._claims(request.headers["authorization"])
            except JWTError:
                return Response(status_code=401)
            variables = orjson.loads(await request.body())["variables"]
            async with self._pool.acquire() as connection:
                user = await self._user(connection, claims["sub"])
                async with connection.transaction():
                    await connection.fetchrow(statements.ACT, user, read_only)
                    document = await connection.fetchval(case.statement, user, *variables.values())
            return Response(document, media_type="application/json")

        return answer

    def _claims(self, authorization: str) -> dict[str, str]:
        token = authorization.removeprefix("Bearer ")
        return jwt.decode(token, self._secret, algorithms=["HS256"], audience=LOCAL_AUDIENCE, issuer=LOCAL_ISSUER)

    async def _user(self, connection: Connection, subject: str) -> str:
        if subject not in self._users:
            self._users[subject] = str(await connection.fetchval(statements.USER, LOCAL_ISSUER, subject))
        return self._users[subject]


async def _leave(_: object) -> None:
    pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    with socket.create_server(("127.0.0.1", port), backlog=BACKLOG) as listener:
        bare = BareServer(os.environ["DATABASE_URL"], os.environ["SCRIPTORIUM_JWT_SECRET"])
        uvicorn.Server(server_config(bare.app, LIMITS)).run(sockets=[listener])


if __name__ == "__main__":
    main()
