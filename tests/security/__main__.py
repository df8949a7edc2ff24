"""`python -m tests.security`: hostile operations against an application of its own; the exit status says whether all were answered well."""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections import Counter
from pathlib import Path

from persistence import migrate
from persistence.embedded import EmbeddedPostgres
from tests.factories import Cluster
from tests.security.barrage import Outcome, barrage
from tests.server.running import running

DATABASE = "barrage"
LOGIN = "scriptorium"
SHOWN = 20


class Complaints(logging.Handler):
    """What the application logs of its own faults."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


async def _barrage(url: str, *, seed: int, operations: int) -> Outcome:
    async with running(url, rehearsal=True, openai_api_key=None) as app:
        return await barrage(app, seed=seed, operations=operations)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.security", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides what is sent")
    parser.add_argument("--operations", type=int, default=10_000, help="how many")
    options = parser.parse_args()
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    with tempfile.TemporaryDirectory(prefix="scriptorium-barrage-") as name:
        root = Path(name)
        root.chmod(0o755)  # started by root, the server runs as somebody else
        server = EmbeddedPostgres(root, durable=False)
        try:
            cluster = Cluster(server.start().socket_directory)
            cluster.create_database(DATABASE)
            migrate.upgrade(cluster.url(DATABASE), application_role=LOGIN)
            outcome = asyncio.run(_barrage(cluster.url(DATABASE, login=LOGIN), seed=options.seed, operations=options.operations))
        finally:
            server.stop()
    sys.stdout.write("\n".join([*_lines(outcome, complaints.said), ""]))
    sys.exit(1 if outcome.faults or complaints.said else 0)


def _lines(outcome: Outcome, complaints: list[str]) -> list[str]:
    kinds = Counter(fault for fault, *_ in outcome.faults)
    return [
        f"{outcome.answers.total():,} answers: {', '.join(f'{count:,} {name}' for name, count in outcome.answers.most_common())}",
        f"{len(outcome.faults)} faults, {len(complaints)} complaints in the log",
        *(f"  {count} × {fault}" for fault, count in kinds.most_common(SHOWN)),
        *(f"  {operation}\n  {answer}" for _, operation, answer in outcome.faults[:SHOWN]),
        *complaints[:SHOWN],
    ]


if __name__ == "__main__":
    main()
