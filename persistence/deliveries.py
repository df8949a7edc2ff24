"""The job engine: procrastinate brings "run job X" to some worker process, at least once.

What it cannot promise is covered by the job's own row: a message delivered twice finds the job held, a message that died with its
worker is sent again when the job is overdue. So a message is only ever asked to arrive.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

import psycopg
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job

logger = logging.getLogger(__name__)

QUEUE = "jobs"
TASK = "run_job"
AGAIN_SECONDS = 1
RESTART_SECONDS = 1.0
STOP_SECONDS = 5.0
CONNECT_SECONDS = 10.0
CONNECTIONS = 4
# A worker that is draining sends no heartbeat either, but never drains for an hour.
_FORGET_DEAD_MESSAGES = """
    DELETE FROM procrastinate_jobs AS message
    WHERE message.status <> 'todo'
      AND NOT EXISTS (SELECT FROM procrastinate_workers AS worker
                      WHERE worker.id = message.worker_id AND worker.last_heartbeat > now() - interval '1 hour')
      AND NOT EXISTS (SELECT FROM procrastinate_events AS event
                      WHERE event.job_id = message.id AND event.at > now() - interval '1 hour')
"""

Run = Callable[[UUID], Awaitable[bool]]


class _Busy(Exception):  # noqa: N818  - not a malfunction
    """The job is in other hands just now: bring the message again."""


class _AlwaysAgain(BaseRetryStrategy):
    """Whatever went wrong here, the job's own row counts attempts and decides when enough is enough."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:  # noqa: ARG002  - the interface's names
        return RetryDecision(retry_in={"seconds": AGAIN_SECONDS})


class ProcrastinateDeliveries:
    """`conninfo` is libpq's; at most `concurrency` deliveries run at a time; `name` tells processes apart in the engine's log."""

    def __init__(self, conninfo: str, *, concurrency: int, name: str) -> None:
        self._conninfo = conninfo
        self._concurrency = concurrency
        self._name = name
        self._working: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[object]] = set()
        self._paused = False

    async def work(self, run: Run) -> None:
        while not self._paused:
            try:
                await self._work_once(run)
            except (psycopg.Error, ConnectorException) as error:
                logger.warning("deliveries.interrupted", extra={"reason": type(error).__name__})
            if not self._paused:  # the engine's worker ends when its database is away or its registration was pruned
                await asyncio.sleep(RESTART_SECONDS)

    async def pause(self) -> None:
        if self._working is not None and not self._paused:
            self._working.cancel()  # the engine's worker takes this as a wish: it fetches no more and waits for what runs
        self._paused = True

    async def _work_once(self, run: Run) -> None:
        app = self._app(run)
        try:
            await app.open_async()
            await app.connector.execute_query_async(_FORGET_DEAD_MESSAGES)
            if not self._paused:
                await self._until_ended(app)
        finally:
            await app.close_async()

    async def _until_ended(self, app: App) -> None:
        worker = app.run_worker_async(
            queues=[QUEUE],
            name=self._name,
            concurrency=self._concurrency,
            fetch_job_polling_interval=1.0,
            delete_jobs="successful",
            install_signal_handlers=False,
        )
        self._working = working = asyncio.create_task(worker, name=f"deliveries: {self._name}")
        try:
            await asyncio.wait({working})
        except asyncio.CancelledError:
            await self.pause()
            for delivery in self._running:
                delivery.cancel()
            _, late = await asyncio.wait({working}, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            raise
        finally:
            self._working = None
        if not working.cancelled():
            working.result()

    def _app(self, run: Run) -> App:
        app = App(
            connector=PsycopgConnector(
                conninfo=self._conninfo, min_size=1, max_size=CONNECTIONS, timeout=CONNECT_SECONDS, name=f"deliveries {self._name}"
            )
        )

        @app.task(name=TASK, queue=QUEUE, retry=_AlwaysAgain())
        async def run_job(job_id: str) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._running.add(task)
            try:
                if not await run(UUID(job_id)):
                    raise _Busy
            finally:
                self._running.discard(task)

        return app
