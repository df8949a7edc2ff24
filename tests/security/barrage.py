"""Sending many hostile operations to a running application, and judging what comes back."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import OperationType, build_client_schema, get_introspection_query, print_schema
from websockets.asyncio.client import ClientConnection, connect

from tests.security.damage import damaged
from tests.security.hostile_operations import HostileOperations, Operation
from tests.security.leaks import leaks
from tests.server.caller import Caller
from tests.server.running import Running, token_for
from tests.server.shelf import Shelf, fill_shelf

ROUND = 100
"""Operations until the shelves are filled anew: they delete what they can."""
SHARE_DAMAGED = 0.3
MESSAGES = 20
PATIENCE_SECONDS = 0.5
REFUSALS = frozenset(
    {"BAD_USER_INPUT", "FORBIDDEN", "QUERY_TOO_COMPLEX", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "RATE_LIMITED"}
)


@dataclass
class Outcome:
    """`answers` counts codes, and "data" where there was no error; `faults` has what must not be, with the operation."""

    answers: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, Operation, Any]] = field(default_factory=list)

    def judge(self, operation: Operation, answer: Any, *, status: int | None = None) -> None:
        codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
        self.answers.update(codes or {"data"})
        said = leaks(answer)
        if said:
            self.faults.append((f"leaks: {said}", operation, answer))
        if not codes <= REFUSALS:
            self.faults.append((f"codes: {codes}", operation, answer))
        if not codes and "data" not in answer:
            self.faults.append(("neither data nor errors", operation, answer))
        if status is not None and status not in ({200} if "data" in answer else {400, 403, 405, 429}):
            self.faults.append((f"status {status}", operation, answer))


async def barrage(app: Running, *, seed: int, operations: int) -> Outcome:
    outcome, schema = Outcome(), await served_schema(app)
    for number, begun in enumerate(range(0, operations, ROUND)):
        # Two of one's own, and one of somebody else.
        shelves = [await fill_shelf(app, user) for user in ("ada", "ada", "ben")]
        await _round(app, shelves, outcome, seed=seed * 1000 + number, operations=min(ROUND, operations - begun))
    if await served_schema(app) != schema:
        outcome.faults.append(("the schema is not what it was", Operation(OperationType.QUERY, get_introspection_query(), {}), None))
    return outcome


async def served_schema(app: Running) -> str:
    async with app.client("ada") as client:
        return print_schema(build_client_schema(await client.ask(get_introspection_query())))


async def _round(app: Running, shelves: Sequence[Shelf], outcome: Outcome, *, seed: int, operations: int) -> None:
    drawn, chance = HostileOperations(seed, shelves), random.Random(seed)
    address = f"{app.address.replace('http', 'ws', 1)}/graphql"
    async with app.client("ada") as client, connect(address, subprotocols=["graphql-transport-ws"], max_size=None) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": token_for("ada")}}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        caller = Caller(client)
        for number in range(operations):
            operation = drawn.draw()
            if chance.random() < SHARE_DAMAGED:
                operation = damaged(operation, chance)
            if operation.kind is OperationType.SUBSCRIPTION and operation.document:
                for answer in await _followed(socket, operation, f"{number}"):
                    outcome.judge(operation, answer)
            else:
                got = await caller.send(operation.document, **operation.variables)
                outcome.judge(operation, got.body, status=got.status)


async def _followed(socket: ClientConnection, operation: Operation, identifier: str) -> list[Any]:
    """What a subscription says, as answers, until it ends or has said enough."""
    payload = {"query": operation.document, "variables": operation.variables}
    await socket.send(json.dumps({"type": "subscribe", "id": identifier, "payload": payload}))
    said: list[Any] = []
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(said) < MESSAGES:
                message = json.loads(await socket.recv())
                match message:
                    case {"id": str(told)} if told != identifier:
                        continue
                    case {"type": "next", "payload": payload}:
                        said.append(payload)
                    case {"type": "error", "payload": errors}:
                        return [*said, {"errors": errors}]
                    case {"type": "complete"}:
                        return said
    except TimeoutError:
        pass
    await socket.send(json.dumps({"type": "complete", "id": identifier}))
    return said
