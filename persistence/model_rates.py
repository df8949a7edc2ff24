"""Rate limits of model endpoints: the ModelRates port as token buckets in Postgres, by the database's clock alone.

A bucket holds at most a minute's allowance and fills evenly. A place is taken out of it at once, below zero if need be, and how far below
says how long to wait: so places are given in order, whoever waits asks only once, and a large call is never overtaken for ever.
"""

from sqlalchemy import text

from persistence.database import Database

# What has not been limited before begins with a full bucket. A limit of NULL leaves its column alone and asks nobody to wait.
# A call larger than its whole bucket waits for a full one, and those behind it until its debt is paid.
_BOOK = text("""
    INSERT INTO model_rate AS rate (endpoint, requests, tokens, refilled_at)
    VALUES (:endpoint, coalesce(CAST(:requests_per_minute AS float8) - 1, 0),
            coalesce(CAST(:tokens_per_minute AS float8) - CAST(:tokens AS float8), 0), now())
    ON CONFLICT (endpoint) DO UPDATE SET
        requests = coalesce(least(:requests_per_minute, rate.requests + :requests_per_minute / 60 * greatest(
            0, extract(epoch FROM now() - rate.refilled_at))) - 1, rate.requests),
        tokens = coalesce(least(:tokens_per_minute, rate.tokens + :tokens_per_minute / 60 * greatest(
            0, extract(epoch FROM now() - rate.refilled_at))) - :tokens, rate.tokens),
        refilled_at = now()
    RETURNING greatest(
        0, -60 * requests / :requests_per_minute,
        -60 * (tokens + greatest(0, :tokens - :tokens_per_minute)) / :tokens_per_minute)
""")
_GIVE_BACK = text("UPDATE model_rate SET requests = requests + 1, tokens = tokens + :tokens WHERE endpoint = :endpoint")


class PostgresModelRates:
    """Limits per endpoint and minute; None is no limit."""

    def __init__(self, database: Database, *, requests_per_minute: int | None, tokens_per_minute: int | None) -> None:
        self._database = database
        self._limits = {"requests_per_minute": requests_per_minute, "tokens_per_minute": tokens_per_minute}

    async def book(self, endpoint: str, *, tokens: int) -> float:
        async with self._database.as_worker() as connection:
            return float(await connection.scalar(_BOOK, {"endpoint": endpoint, "tokens": tokens, **self._limits}) or 0.0)

    async def give_back(self, endpoint: str, *, tokens: int) -> None:
        async with self._database.as_worker() as connection:
            await connection.execute(_GIVE_BACK, {"endpoint": endpoint, "tokens": tokens})
