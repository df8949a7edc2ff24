"""A library of many authors' books, large enough that whoever reads all of a table is found out."""

import re
from dataclasses import dataclass
from uuid import UUID

import orjson
import psycopg
from psycopg import sql

from domain.jobs.events import TextAppended
from domain.jobs.job import GenerationRequest
from domain.projects import GenerationSettings
from domain.spending import ZERO, CostEstimate, Usage
from persistence.documents import to_document
from tests.factories import an_issue
from tests.persistence.job_world import prompt

MANY = 50_000
OWN = 20
"""Projects of the author who reads; each has 5 chapters, and each chapter two versions, a job, an assessment and so on."""

# Ids are made of numbers, so that tables can be filled side by side. Projects 1 to OWN are the reader's.
_TABLES = f"""
    INSERT INTO app_user (id, issuer, subject, name, email, created_at, seen_at)
    SELECT number_to_id('user', n), 'issuer', 'subject ' || n, 'User ' || n, 'user' || n || '@example.com', now(), now()
    FROM generate_series(1, {MANY}) AS n;

    INSERT INTO project (id, title, premise, genre, language, style_notes, settings, created_at, updated_at)
    SELECT number_to_id('project', n), 'Book ' || n, '', 'OTHER', 'en', '', SETTINGS, now() - n * interval '1 minute', now() - n * interval '1 minute'
    FROM generate_series(1, {MANY} / 5) AS n;

    INSERT INTO project_member (project_id, user_id, role, joined_at)
    SELECT number_to_id('project', n), number_to_id('user', CASE WHEN n <= {OWN} THEN 1 ELSE n END), 'OWNER', now()
    FROM generate_series(1, {MANY} / 5) AS n
    UNION ALL
    SELECT number_to_id('project', 1 + n % ({MANY} / 5)), number_to_id('user', {MANY} / 5 + n), 'VIEWER', now()
    FROM generate_series(1, {MANY} / 5 * 4) AS n;

    INSERT INTO chapter (id, project_id, position, title, brief, status, current_version_id, created_at, updated_at)
    SELECT number_to_id('chapter', n), number_to_id('project', 1 + (n - 1) / 5), 1 + (n - 1) % 5, '', '', 'FINAL', number_to_id('version 2', n), now(), now()
    FROM generate_series(1, {MANY}) AS n;

    INSERT INTO chapter_version (id, project_id, chapter_id, number, word_count, token_count, origin, rehearsal, author_id, job_id, created_at, text)
    SELECT number_to_id('version ' || version, n), number_to_id('project', 1 + (n - 1) / 5), number_to_id('chapter', n), version, 1, 1, 'DRAFT', false,
           number_to_id('user', 1), number_to_id('job', n), now(), 'Tide.'
    FROM generate_series(1, {MANY}) AS n, generate_series(1, 2) AS version;

    INSERT INTO reference_file (id, project_id, name, kind, aliases, inclusion, media_type, size_bytes, token_count, sha256, created_at, updated_at, content)
    SELECT number_to_id('file', n), number_to_id('project', 1 + (n - 1) / 5), 'File ' || n, 'CHARACTER', '{{}}', 'NEVER', 'text/markdown', 1, 1, '', now(), now(), 'x'
    FROM generate_series(1, {MANY}) AS n;

    INSERT INTO job (id, project_id, chapter_id, kind, status, stage, progress, started_by, attempt, request, rehearsal, estimate, last_sequence,
                     created_at, finished_at, reserved)
    SELECT number_to_id('job', n), number_to_id('project', 1 + (n - 1) / 5), number_to_id('chapter', n), 'CHAPTER',
           CASE WHEN n % 50 = 0 THEN 'QUEUED' ELSE 'SUCCEEDED' END, 'DONE', 1, number_to_id('user', 1 + (n - 1) / (5 * {OWN})), 1, REQUEST, false, ESTIMATE, 2,
           now() - n * interval '1 s', now(), 0
    FROM generate_series(1, {MANY}) AS n;

    INSERT INTO job_event (job_id, sequence, project_id, at, kind, body)
    SELECT number_to_id('job', n), sequence, number_to_id('project', 1 + (n - 1) / 5), now(), 'TextAppended', EVENT
    FROM generate_series(1, {MANY}) AS n, generate_series(1, 2) AS sequence;

    INSERT INTO job_step (job_id, name, project_id, status, tries, epoch, asked_since, started_at)
    SELECT number_to_id('job', n), 'draft', number_to_id('project', 1 + (n - 1) / 5), 'SUCCEEDED', 1, 1, 1, now()
    FROM generate_series(1, {MANY}) AS n;

    INSERT INTO prompt_receipt (id, project_id, job_id, chapter_id, at, messages, message_tokens, receipt)
    SELECT number_to_id('receipt', n), number_to_id('project', 1 + (n - 1) / 5), number_to_id('job', n), number_to_id('chapter', n), now(), '[]', '[]', RECEIPT
    FROM generate_series(1, {MANY}) AS n;

    INSERT INTO ledger_entry (at, user_id, project_id, job_id, step, epoch, call_id, model, calls, prompt_tokens, cached_prompt_tokens,
                              completion_tokens, cost, estimated, uncertain)
    SELECT now() - n * interval '10 minutes', number_to_id('user', 1 + (n - 1) / (5 * {OWN})), number_to_id('project', 1 + (n - 1) / 5), number_to_id('job', n),
           'draft', 1, number_to_id('call', n), 'm', 1, 1, 0, 1, 0.01, false, false
    FROM generate_series(1, {MANY}) AS n;

    INSERT INTO assessment (id, project_id, chapter_id, version_id, job_id, score, score_low, score_high, dimensions, metrics, notes, judge, rehearsal,
                            usage, created_at)
    SELECT number_to_id('assessment', n), number_to_id('project', 1 + (n - 1) / 5), number_to_id('chapter', n), number_to_id('version 2', n),
           number_to_id('job', n), 7, 6, 8, '[]', '[]', '[]', 'm', false, USAGE, now()
    FROM generate_series(1, {MANY}) AS n;

    INSERT INTO finding (id, project_id, chapter_id, assessment_id, position, issue)
    SELECT number_to_id('finding', n), number_to_id('project', 1 + (n - 1) / 5), number_to_id('chapter', n), number_to_id('assessment', n), 0,
           ISSUE
    FROM generate_series(1, {MANY}) AS n;

    INSERT INTO dismissal (finding_id, project_id, chapter_id, user_id, reason, at)
    SELECT id, project_id, chapter_id, NULL, '', now() FROM finding;

    INSERT INTO passage_vector (project_id, model, sha256, dims, vector)
    SELECT number_to_id('project', 1 + (n - 1) / 5), 'm', sha256(n::text::bytea), 1, '\\x00000000'::bytea
    FROM generate_series(1, {MANY}) AS n;
"""


_DOCUMENTS = {
    "SETTINGS": GenerationSettings(),
    "REQUEST": GenerationRequest(
        instructions="", include=(), exclude=(), model="m", token_budget=8000, temperature=0.7, base_version_id=None
    ),
    "ESTIMATE": CostEstimate(model="m", prompt_tokens=1, completion_tokens=1, low=ZERO, high=ZERO),
    "EVENT": TextAppended("draft", 0, "x"),
    "RECEIPT": prompt().receipt,
    "USAGE": Usage(),
    "ISSUE": an_issue(),
}


@dataclass(frozen=True)
class ManyBooks:
    """Ids of what the reader owns, and of some with whom they share it."""

    reader: UUID
    fellows: list[UUID]
    projects: list[UUID]
    chapters: list[UUID]
    versions: list[UUID]
    files: list[UUID]
    jobs: list[UUID]
    receipts: list[UUID]
    assessments: list[UUID]
    findings: list[UUID]


def fill(owner_url: str) -> ManyBooks:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # what is filled in is consistent: no key need be looked up
        connection.execute("SET synchronous_commit = off")
        connection.execute(
            "CREATE FUNCTION pg_temp.number_to_id(kind text, n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$ SELECT md5(kind || n)::uuid $$"
        )
        statements = _TABLES.replace("number_to_id(", "pg_temp.number_to_id(")
        for name, document in _DOCUMENTS.items():
            written = sql.Literal(orjson.dumps(to_document(document)).decode()).as_string(connection)
            statements = re.sub(rf"\b{name}\b", lambda _, written=written: f"{written}::jsonb", statements)
        connection.execute(statements)  # type: ignore[arg-type]
        connection.execute("VACUUM ANALYZE")

        def ids(kind: str, number: int) -> list[UUID]:
            query = "SELECT pg_temp.number_to_id(%s, n) FROM generate_series(1, %s) AS n"
            return [row[0] for row in connection.execute(query, (kind, number))]

        return ManyBooks(
            reader=ids("user", 1)[0],
            fellows=ids("user", MANY // 5 + OWN // 2)[MANY // 5 :],
            projects=ids("project", OWN),
            **{
                f"{name}s": ids(kind, 5 * OWN)
                for name, kind in {
                    **{name: name for name in ("chapter", "file", "job", "receipt", "assessment", "finding")},
                    "version": "version 2",
                }.items()
            },
        )
