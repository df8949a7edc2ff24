"""The replies of one operation as an HTTP response that goes on."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterable
from contextlib import aclosing
from typing import Any

from starlette.types import Message, Receive

from schema.edge.errors import ErrorCode, RequestError, unauthenticated
from schema.edge.framings import Framing
from schema.edge.lifetime import End
from schema.edge.masking import ErrorPresenter, Reply
from schema.edge.outlet import Outlet, until_gone


class ReplyStream:
    """Ends with the operation, with the client's connection, with the viewer's lifetime, or when the server closes.

    Whichever it is, the operation has ended too when `send` returns.
    """

    def __init__(self, framing: Framing, *, present: ErrorPresenter, heartbeat_seconds: float) -> None:
        self._framing = framing
        self._present = present
        self._heartbeat_seconds = heartbeat_seconds

    async def send(
        self,
        replies: AsyncGenerator[Reply],
        outlet: Outlet[Message],
        receive: Receive,
        *,
        lifetime: Awaitable[End],
        closing: Awaitable[object],
    ) -> None:
        """Begins behind the response's head. Raises: SlowReader."""
        await _send_bytes(outlet, self._framing.opening)
        relaying = asyncio.ensure_future(self._relay(replies, outlet))
        beating = asyncio.ensure_future(self._beat(outlet))
        leaving = asyncio.ensure_future(until_gone(receive))
        ending = asyncio.ensure_future(lifetime)
        interrupting = asyncio.ensure_future(closing)
        tasks = (relaying, beating, leaving, ending, interrupting)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(tasks)
        if _has_returned(leaving):
            return
        for task in (relaying, beating):
            if not task.cancelled() and (error := task.exception()):
                raise error
        if _has_returned(relaying):
            last = self._framing.completion
        elif _has_returned(ending) and ending.result() is not End.TOO_OLD:
            last = self._framing.refusal(self._present.reply_to_failure(unauthenticated()))
        else:
            again = RequestError(ErrorCode.TIMEOUT, "The server has to end this stream: subscribe again, after the last event.")
            last = self._framing.interruption(self._present.reply_to_failure(again))
        await _send_bytes(outlet, last, more=False)

    async def _relay(self, replies: AsyncGenerator[Reply], outlet: Outlet[Message]) -> None:
        async with aclosing(replies):
            while (reply := await self._next(replies)) is not None:
                await _send_bytes(outlet, self._framing.reply(reply))
                # Sending to a client that has left succeeds, and at once: without a pause, who hears of it would never have its turn.
                await asyncio.sleep(0)

    async def _next(self, replies: AsyncGenerator[Reply]) -> Reply | None:
        try:
            return await anext(replies, None)
        except Exception as error:  # noqa: BLE001 - the frame of an operation: the client is told; the generator has ended by this
            return self._present.reply_to_failure(error)

    async def _beat(self, outlet: Outlet[Message]) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            await _send_bytes(outlet, self._framing.heartbeat)


async def _send_bytes(outlet: Outlet[Message], body: bytes, *, more: bool = True) -> None:
    await outlet.send({"type": "http.response.body", "body": body, "more_body": more})


async def _end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _has_returned(task: asyncio.Future[Any]) -> bool:
    return not task.cancelled() and task.exception() is None
