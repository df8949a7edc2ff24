"""The API over HTTP beside a bare server: what a request costs of the server's processor, of Postgres', and of the client's time."""

import tempfile
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from statistics import median
from uuid import UUID

import asyncpg

from bench.api.cases import CASES, Case, Variables
from bench.api.connection import Connection, request
from bench.api.rounds import ROUNDS, Asked, measure
from bench.api.servers import Server, bare_server, our_server
from bench.api.shelf import READER, Shelf, filled_shelf
from bench.workbench import workbench_urls
from persistence.urls import DatabaseAddress
from schema.ids import Entity, encode
from tests.server.running import token_for


async def api() -> None:
    with workbench_urls() as urls, tempfile.TemporaryDirectory() as folder:
        shelf = await filled_shelf(urls.owner, urls.application)
        postgres = await asyncpg.connect(**DatabaseAddress.parse(urls.owner).asyncpg_arguments())
        try:
            async with our_server(Path(folder), urls.owner) as ours, bare_server(Path(folder), urls.owner) as bare:
                print(f"\nThe API beside Starlette, asyncpg and one statement: {ROUNDS} rounds of each in turns")
                for name, case in CASES.items():
                    await _case(name, case, shelf, postgres, ours=ours, bare=bare)
        finally:
            await postgres.close()


async def _case(name: str, case: Case, shelf: Shelf, postgres: "asyncpg.Connection[asyncpg.Record]", *, ours: Server, bare: Server) -> None:
    token = token_for(READER)

    def requests(path: str, variables: Sequence[Variables]) -> list[bytes]:
        return [request(path, token, case.document, values) for values in variables]

    with Connection(ours.port) as connection, Connection(bare.port) as bare_connection:
        asked = Asked(ours.pid, connection, requests("/graphql", case.variables(shelf, encode)))
        peer = Asked(bare.pid, bare_connection, requests(f"/{name}", case.variables(shelf, _plainly)))
        size = await measure(asked, peer, postgres, writes=case.writes)
    print(f"\n{name}: {case.title} ({size / 1000:.1f} kB)")
    _print({"ours": asked, "bare": peer}, goal=case.goal)


def _plainly(_kind: type[Entity], value: UUID) -> str:
    return str(value)


def _print(servers: Mapping[str, Asked], *, goal: float) -> None:
    print(f"  {'milliseconds of CPU a request':<40} {'min':>9}{'median':>9}{'max':>9}")
    for name, asked in servers.items():
        print(_row(f"server, {name}", [1000 * seconds for seconds in asked.server]))
    ours, bare = servers["ours"], servers["bare"]
    ratios = [one / other for one, other in zip(ours.server, bare.server, strict=True)]
    verdict = "met" if median(ratios) <= goal else "MISSED"
    print(f"{_row('server, ours / bare', ratios)}   goal {goal:.0f}: {verdict}")
    for name, asked in servers.items():
        print(_row(f"Postgres, {name}", [1000 * seconds for seconds in asked.database]))
    print(f"  {'milliseconds to the answer':<40} {'p50':>9}{'p99':>9}{'max':>9}")
    for name, asked in servers.items():
        print(f"{_latency(name, asked.latencies)}  (n={len(asked.latencies)})")


def _row(name: str, figures: Sequence[float]) -> str:
    return f"  {name:<40} {min(figures):>9.2f}{median(figures):>9.2f}{max(figures):>9.2f}"


def _latency(name: str, seconds: Sequence[float]) -> str:
    figures = median(seconds), sorted(seconds)[ceil(0.99 * len(seconds)) - 1], max(seconds)
    return f"  {name:<40} {''.join(f'{1000 * value:>9.2f}' for value in figures)}"
