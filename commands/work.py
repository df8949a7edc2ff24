"""`scriptorium worker`: runs jobs, without the API. Any number of them work beside each other on one database."""

import asyncio
import signal
from dataclasses import replace

from commands.database import migrated_database
from commands.logs import configure_logs
from server import Scriptorium
from settings import Settings

DEFAULT_CONCURRENCY = 16


def work(settings: Settings) -> None:
    """Run jobs until SIGINT or SIGTERM."""
    configure_logs(production=settings.production)
    settings = replace(settings, workers_in_process=settings.workers_in_process or DEFAULT_CONCURRENCY)
    with migrated_database(settings) as urls:
        asyncio.run(_until_told(Scriptorium(settings, urls.application)))


async def _until_told(scriptorium: Scriptorium) -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    try:
        await scriptorium.start()
        print("Working. Ctrl-C hands running jobs over and stops.", flush=True)
        await told.wait()
    finally:
        await scriptorium.stop()
