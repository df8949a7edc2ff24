"""What the browser looks at: a server on loopback, and the page in Chromium."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn

from tests.web.devtools import Page, chromium_page
from tests.web.stub_app import stub_app


@contextlib.asynccontextmanager
async def serving(app) -> AsyncIterator[str]:
    """The address of `app` on a free port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="websockets-sansio"))
        running = asyncio.create_task(server.serve(sockets=[listener]), name="server under test")
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


@pytest.fixture(scope="session")
async def graphiql_address() -> AsyncIterator[str]:
    async with serving(stub_app()) as address:
        yield f"{address}/graphiql"


@pytest.fixture
async def page(graphiql_address) -> AsyncIterator[Page]:
    async with chromium_page() as opened:
        await opened.open(graphiql_address)
        yield opened
