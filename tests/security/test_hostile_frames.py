"""Whatever frames a client sends in whatever order, its connection ends with the code the protocol has for it, and only its own."""

import asyncio
import json
import logging
from collections import Counter

import pytest

from schema.edge.limits import Limits
from tests.schema.edge.toy import Observed, token, toy_edge
from tests.security.asgi import Socket, connected
from tests.security.frame_oracle import FRAME_BYTES, MOST_OPERATIONS, VALID, Frame, Oracle
from tests.security.hostile_frames import HostileFrames

SEEDS = range(4)
SEQUENCES = 480
FLOODS = 20
TRY_AGAIN_LATER = 1013
"""Also the answer to a client that sends too much, where there is a limit to that."""
LIMITS = Limits(frame_bytes=FRAME_BYTES, operations_per_socket=MOST_OPERATIONS)
PING = Frame('{"type": "ping", "payload": {"are": "you there"}}', {"type": "ping", "payload": {"are": "you there"}})
PONG = {"type": "pong", "payload": {"are": "you there"}}


def send(socket: Socket, frame: Frame, valid: str) -> None:
    content = frame.content
    socket.send(content.replace(f'"{VALID}"', f'"{valid}"') if isinstance(content, str) else content)


async def is_alive(socket: Socket) -> bool:
    send(socket, PING, "")
    while (message := await socket.receive()) is not None:
        if message == PONG:
            return True
    return False


async def outcome(edge, frames: list[Frame]) -> tuple[int | None, int | None]:
    """The close code that the protocol asks for, and the one that came; None for a connection that can still be used."""
    oracle, valid = Oracle(), token()
    async with connected(edge) as socket:
        for frame in frames:
            send(socket, frame, valid)
            oracle.sent(frame)
        alive = await is_alive(socket)
        code = None if alive else (await socket.closed())[0]
        assert socket.closing is None or len(socket.closing[1].encode()) <= 123, "the reason fits into a close frame"
    return oracle.expected, code


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_sequence_ends_as_the_protocol_says_and_disturbs_nobody(seed: int, caplog: pytest.LogCaptureFixture):
    observed, drawn, ended = Observed(), HostileFrames(seed), Counter()
    edge = toy_edge(observed, limits=LIMITS)
    async with connected(edge) as bystander:
        send(bystander, Frame(json.dumps({"type": "connection_init", "payload": {"authorization": VALID}})), token("grace"))
        bystander.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": "subscription { silent }"}}))
        await observed.until_running("silent", 1)
        tasks = asyncio.all_tasks()
        for number in range(SEQUENCES + FLOODS):
            frames = drawn.draw() if number < SEQUENCES else drawn.flood()
            expected, code = await outcome(edge, frames)
            assert code == expected or (code == TRY_AGAIN_LATER and number >= SEQUENCES), [frame.content for frame in frames]
            assert asyncio.all_tasks() == tasks, "nothing is left behind"
            assert observed.running == {"silent": 1}, "but the subscription of somebody else"
            ended[code] += 1
        assert await is_alive(bystander)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info] == []
    assert min(ended[code] for code in (None, 4400, 4401, 4403, 4409, 4429, 1009)) >= 3, ended
