"""Who lacks vectors, and the books of calls for them: the EmbeddingDesk port on Postgres, as the role that sees no texts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text

from domain.chapters import Chapter
from domain.jobs.embedding import EmbeddingCall, EmbeddingTurn
from domain.llm.model import TokenUsage
from domain.prompting.index import text_index
from domain.spending import Allowance
from persistence import funds, ledger
from persistence.connection import Connection
from persistence.database import Database

# When passages are cut in another way, by a newer format, all chapters come up again; an older server leaves them alone then.
# Of two that choose the same project, the second waits here for the first, and then finds that it is held.
_TAKE_TURN = text("""
    WITH next AS MATERIALIZED (
        SELECT chapter.project_id
        FROM chapter JOIN project ON project.id = chapter.project_id AND project.archived_at IS NULL
        LEFT JOIN embedded_chapter AS embedded ON embedded.chapter_id = chapter.id AND embedded.model = :model
        LEFT JOIN embedding_turn AS turn ON turn.project_id = chapter.project_id AND turn.held_until > now()
        WHERE turn.project_id IS NULL AND (embedded.chapter_id IS NULL OR embedded.changed_at <> chapter.updated_at
                                           OR embedded.format < :format OR embedded.version_id IS DISTINCT FROM chapter.current_version_id)
        ORDER BY chapter.updated_at, chapter.project_id LIMIT 1
    )
    INSERT INTO embedding_turn AS turn (project_id, held_until)
    SELECT project_id, now() + make_interval(secs => :seconds) FROM next
    ON CONFLICT (project_id) DO UPDATE SET held_until = excluded.held_until WHERE turn.held_until <= now()
    RETURNING project_id, owner_who_pays(project_id) AS user_id
""")
_LACKING_CHAPTERS = text("""
    SELECT chapter.id
    FROM chapter LEFT JOIN embedded_chapter AS embedded ON embedded.chapter_id = chapter.id AND embedded.model = :model
    WHERE chapter.project_id = :project_id AND (embedded.chapter_id IS NULL OR embedded.changed_at <> chapter.updated_at
                                                OR embedded.format < :format OR embedded.version_id IS DISTINCT FROM chapter.current_version_id)
    ORDER BY chapter.updated_at, chapter.id LIMIT :chapters
""")
_REST = text("UPDATE embedding_turn SET held_until = now() + make_interval(secs => :seconds) WHERE project_id = :project_id")
_LACKING = text("""
    SELECT key FROM unnest(CAST(:keys AS bytea[])) AS wanted (key)
    WHERE NOT EXISTS (SELECT FROM passage_vector WHERE project_id = :project_id AND model = :model AND sha256 = key)
""")
# Numbers are given in the order of commits: nobody else adds vectors to the project until the transaction ends.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('vectors of project ' || CAST(CAST(:project_id AS uuid) AS text), 0))")
_ADD = text("""
    INSERT INTO passage_vector (project_id, model, sha256, dims, vector)
    SELECT project.id, :model, key, octet_length(packed) / 4, packed
    FROM project, unnest(CAST(:keys AS bytea[]), CAST(:vectors AS bytea[])) AS new (key, packed)
    WHERE project.id = :project_id
    ON CONFLICT (project_id, model, sha256) DO NOTHING
""")
_DONE = text("""
    INSERT INTO embedded_chapter AS embedded (chapter_id, model, project_id, version_id, changed_at, format)
    SELECT chapter.id, :model, chapter.project_id, read.version_id, read.changed_at, :format
    FROM chapter JOIN unnest(CAST(:chapters AS uuid[]), CAST(:versions AS uuid[]), CAST(:changed AS timestamptz[]))
        AS read (id, version_id, changed_at) USING (id)
    ON CONFLICT (chapter_id, model)
    DO UPDATE SET version_id = excluded.version_id, changed_at = excluded.changed_at, format = excluded.format
""")


class PostgresEmbeddingDesk:
    """`monthly_limit` is USD for each user."""

    def __init__(self, database: Database, *, monthly_limit: Decimal | None) -> None:
        self._database = database
        self._monthly_limit = monthly_limit

    async def take_turn(self, *, model: str, chapters: int, seconds: float) -> EmbeddingTurn | None:
        async with self._database.as_worker() as connection:
            chosen = {"model": model, "format": text_index.FORMAT}
            held = (await connection.execute(_TAKE_TURN, {**chosen, "seconds": seconds})).first()
            if held is None or held.user_id is None:
                return None
            parameters = {**chosen, "project_id": held.project_id, "chapters": chapters}
            lacking = await connection.scalars(_LACKING_CHAPTERS, parameters)
        return EmbeddingTurn(project_id=held.project_id, user_id=held.user_id, chapter_ids=tuple(lacking))

    async def rest(self, project_id: UUID, *, seconds: float) -> None:
        async with self._database.as_worker() as connection:
            await connection.execute(_REST, {"project_id": project_id, "seconds": seconds})

    async def lacking(self, project_id: UUID, keys: Collection[bytes], *, model: str) -> Collection[bytes]:
        async with self._database.as_worker() as connection:
            parameters = {"project_id": project_id, "keys": list(keys), "model": model}
            return set(await connection.scalars(_LACKING, parameters))

    async def hold(self, call: EmbeddingCall, *, at: datetime) -> Allowance | None:
        async with self._database.as_worker() as connection:
            if call.cost:
                await funds.lock(connection, user_id=call.user_id, project_id=call.project_id)
                for allowance in await funds.allowances(
                    connection, user_id=call.user_id, project_id=call.project_id, monthly_limit=self._monthly_limit
                ):
                    if call.cost > allowance.left:
                        return allowance
            await _enter(connection, call, usage=call.expected, cost=call.cost, at=at, uncertain=True)
        return None

    async def give_back(self, call: EmbeddingCall, *, at: datetime) -> None:
        async with self._database.as_worker() as connection:
            await ledger.reverse_uncertain(connection, call.id, at=at)

    async def record(
        self, call: EmbeddingCall, *, usage: TokenUsage, cost: Decimal | None, vectors: Mapping[bytes, bytes], at: datetime
    ) -> None:
        async with self._database.as_worker() as connection:
            await ledger.reverse_uncertain(connection, call.id, at=at)
            await _enter(connection, call, usage=usage, cost=cost, at=at, uncertain=False)
            if vectors:
                await connection.execute(_LOCK, {"project_id": call.project_id})
                parameters = {
                    "project_id": call.project_id,
                    "model": call.model,
                    "keys": list(vectors.keys()),
                    "vectors": list(vectors.values()),
                }
                await connection.execute(_ADD, parameters)

    async def done(self, chapters: Sequence[Chapter], *, model: str) -> None:
        parameters = {
            "model": model,
            "format": text_index.FORMAT,
            "chapters": [chapter.id for chapter in chapters],
            "versions": [chapter.current_version_id for chapter in chapters],
            "changed": [chapter.updated_at for chapter in chapters],
        }
        async with self._database.as_worker() as connection:
            await connection.execute(_DONE, parameters)


async def _enter(
    connection: Connection, call: EmbeddingCall, *, usage: TokenUsage, cost: Decimal | None, at: datetime, uncertain: bool
) -> None:
    entry = ledger.Call(id=call.id, step=ledger.EMBEDDING, model=call.model, usage=usage, cost=cost)
    await ledger.enter_without_job(connection, entry, user_id=call.user_id, project_id=call.project_id, at=at, uncertain=uncertain)
