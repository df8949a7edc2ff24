"""Jobs with their steps and logs, the prompts they built, what their calls cost, and the keys under which they were started.

Steps and events repeat their job's project, which row security looks at. The ledger outlives what it is about.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, ForeignKeyConstraint, Index, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from domain.jobs.job import JobKind, JobStage, JobStatus
from persistence.tables.metadata import MONEY, TIMESTAMP, TableModel, metadata, one_of

QUEUED = text("status = 'QUEUED'")
RUNNING = text("status IN ('RUNNING', 'CANCELLING')")
WAITING = text("status = 'WAITING'")
NOT_COMPACTED = text("compacted_until IS DISTINCT FROM finished_at")
ACTIVE = text("status IN ('QUEUED', 'RUNNING', 'WAITING', 'CANCELLING')")
WRITING = text(f"{ACTIVE} AND kind <> 'ASSESSMENT'")
ASSESSING = text(f"{ACTIVE} AND kind = 'ASSESSMENT'")


class JobRow(TableModel, table=True):
    """The log's appends change rows often and no indexed column: the space left in each page keeps those changes cheap.

    `appended_epoch` and `appended_number` name the last append of a claim's log. `compacted_until` is the `finished_at` up to which
    the log has been compacted.
    """

    __tablename__ = "job"
    __table_args__ = (
        ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["project_id", "chapter_id"], ["chapter.project_id", "chapter.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["started_by"], ["app_user.id"]),
        one_of("kind", JobKind),
        one_of("status", JobStatus),
        one_of("stage", JobStage),
        Index(None, "project_id", "created_at", "id"),
        Index(None, "chapter_id", "created_at", "id"),
        Index(None, "started_by", "created_at", "id"),
        Index("job_active_chapter_idx", "chapter_id", unique=True, postgresql_where=WRITING),
        Index("job_active_assessment_idx", text("(request ->> 'version_id')"), unique=True, postgresql_where=ASSESSING),
        Index("job_active_started_by_idx", "started_by", postgresql_where=ACTIVE),
        Index("job_turn_idx", "started_by", text("priority DESC"), "queued_at", "id", postgresql_where=QUEUED),
        Index("job_waiting_idx", "project_id", postgresql_where=WAITING),
        Index(None, "started_by", "claimed_at"),
        Index("job_lease_until_idx", "lease_until", postgresql_where=RUNNING),
        Index("job_finished_at_idx", "finished_at", postgresql_where=NOT_COMPACTED),
        {"postgresql_with": {"fillfactor": 70}},
    )

    id: UUID = Field(primary_key=True, sa_type=Uuid)
    project_id: UUID = Field(sa_type=Uuid)
    chapter_id: UUID | None = Field(sa_type=Uuid)
    kind: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    stage: str = Field(sa_type=Text)
    progress: float = Field(sa_type=Double)
    started_by: UUID = Field(sa_type=Uuid)
    attempt: int
    request: dict[str, object] = Field(sa_type=JSONB)
    rehearsal: bool
    cost_limit: Decimal | None = Field(sa_type=MONEY)
    estimate: dict[str, object] = Field(sa_type=JSONB)
    result_version_id: UUID | None = Field(sa_type=Uuid)
    result_assessment_id: UUID | None = Field(sa_type=Uuid)
    remark: str | None = Field(sa_type=Text)
    failure: dict[str, object] | None = Field(sa_type=JSONB)
    last_sequence: int
    created_at: datetime = Field(sa_type=TIMESTAMP)
    started_at: datetime | None = Field(sa_type=TIMESTAMP)
    finished_at: datetime | None = Field(sa_type=TIMESTAMP)
    queued_at: datetime = Field(sa_type=TIMESTAMP, sa_column_kwargs={"server_default": text("now()")})
    epoch: int = Field(sa_column_kwargs={"server_default": text("0")})
    lease_until: datetime | None = Field(sa_type=TIMESTAMP)
    worker: str | None = Field(sa_type=Text)
    cancel_requested: bool = Field(sa_column_kwargs={"server_default": text("false")})
    reserved: Decimal = Field(sa_type=MONEY)
    priority: int = Field(sa_column_kwargs={"server_default": text("0")})
    claimed_at: datetime | None = Field(sa_type=TIMESTAMP)
    made_way_at: datetime | None = Field(sa_type=TIMESTAMP)
    stumbles: int = Field(sa_column_kwargs={"server_default": text("0")})
    waiting: dict[str, object] | None = Field(sa_type=JSONB)
    appended_epoch: int = Field(sa_column_kwargs={"server_default": text("0")})
    appended_number: int = Field(sa_column_kwargs={"server_default": text("0")})
    compacted_until: datetime | None = Field(sa_type=TIMESTAMP)


class JobStepRow(TableModel, table=True):
    """`epoch` is the last that asked for the step, `asked_since` the first that asked for exactly this request.

    `call_id` is the last call that was intended, or once there is a result the call that brought it.
    """

    __tablename__ = "job_step"
    __table_args__ = (ForeignKeyConstraint(["job_id"], ["job.id"], ondelete="CASCADE"), one_of("status", JobStatus))

    job_id: UUID = Field(primary_key=True, sa_type=Uuid)
    name: str = Field(primary_key=True, sa_type=Text)
    project_id: UUID = Field(sa_type=Uuid)
    status: str = Field(sa_type=Text)
    tries: int
    epoch: int
    asked_since: int
    model: str | None = Field(sa_type=Text)
    request_hash: str | None = Field(sa_type=Text)
    expected: dict[str, object] | None = Field(sa_type=JSONB)
    expected_cost: Decimal | None = Field(sa_type=MONEY)
    result: dict[str, object] | None = Field(sa_type=JSONB)
    uncertain: bool = Field(sa_column_kwargs={"server_default": text("false")})
    started_at: datetime = Field(sa_type=TIMESTAMP)
    finished_at: datetime | None = Field(sa_type=TIMESTAMP)
    call_id: UUID | None = Field(sa_type=Uuid)


class JobEventRow(TableModel, table=True):
    """Only ever added, and compacted long after the job is done: a row stands for the `covers` positions that end with its own."""

    __tablename__ = "job_event"
    __table_args__ = (ForeignKeyConstraint(["job_id"], ["job.id"], ondelete="CASCADE"),)

    job_id: UUID = Field(primary_key=True, sa_type=Uuid)
    sequence: int = Field(primary_key=True)
    project_id: UUID = Field(sa_type=Uuid)
    at: datetime = Field(sa_type=TIMESTAMP)
    kind: str = Field(sa_type=Text)
    body: dict[str, object] = Field(sa_type=JSONB)
    covers: int = Field(sa_column_kwargs={"server_default": text("1")})


class PromptReceiptRow(TableModel, table=True):
    """What a job sent for a step, byte for byte, and why it was made of just this."""

    __tablename__ = "prompt_receipt"
    __table_args__ = (
        ForeignKeyConstraint(["job_id"], ["job.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["project_id", "chapter_id"], ["chapter.project_id", "chapter.id"], ondelete="CASCADE"),
        Index(None, "job_id", "step", unique=True),
        Index(None, "chapter_id", "at"),
        Index(None, "project_id", "chapter_id"),
    )

    id: UUID = Field(primary_key=True, sa_type=Uuid)
    project_id: UUID = Field(sa_type=Uuid)
    job_id: UUID = Field(sa_type=Uuid)
    chapter_id: UUID = Field(sa_type=Uuid)
    at: datetime = Field(sa_type=TIMESTAMP)
    messages: list[dict[str, object]] = Field(sa_type=JSONB)
    message_tokens: list[int] = Field(sa_type=JSONB)
    receipt: dict[str, object] = Field(sa_type=JSONB)
    step: str = Field(sa_type=Text, sa_column_kwargs={"server_default": text("'draft'")})


class LedgerEntryRow(TableModel, table=True):
    """One paid call, or the correction of one; only ever added. `cost` is null for a model without a known price.

    A call has at most one entry of its own, one as uncertain, and one (with `calls` -1) that takes the uncertain one back. Calls for
    vectors belong to no job.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        ForeignKeyConstraint(["user_id"], ["app_user.id"]),
        ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="SET NULL"),
        Index(None, "project_id", "at"),
        Index(None, "user_id", "at"),
        Index(None, "job_id", "step"),
        Index(None, "call_id", "uncertain", "calls", unique=True),
        CheckConstraint("job_id IS NOT NULL OR step = 'embedding'", name="job_id"),
    )

    id: UUID = Field(primary_key=True, sa_type=Uuid, sa_column_kwargs={"server_default": text("gen_random_uuid()")})
    at: datetime = Field(sa_type=TIMESTAMP)
    user_id: UUID = Field(sa_type=Uuid)
    project_id: UUID | None = Field(sa_type=Uuid)
    job_id: UUID | None = Field(sa_type=Uuid)
    step: str = Field(sa_type=Text)
    epoch: int
    model: str = Field(sa_type=Text)
    calls: int
    prompt_tokens: int
    cached_prompt_tokens: int
    completion_tokens: int
    cost: Decimal | None = Field(sa_type=MONEY)
    estimated: bool
    uncertain: bool
    call_id: UUID | None = Field(sa_type=Uuid)


class IdempotencyKeyRow(TableModel, table=True):
    __tablename__ = "idempotency_key"
    __table_args__ = (
        ForeignKeyConstraint(["user_id"], ["app_user.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["job_id"], ["job.id"], ondelete="CASCADE"),
        Index(None, "job_id"),
        Index(None, "at"),
    )

    user_id: UUID = Field(primary_key=True, sa_type=Uuid)
    key: str = Field(primary_key=True, sa_type=Text)
    request_hash: str = Field(sa_type=Text)
    job_id: UUID = Field(sa_type=Uuid)
    at: datetime = Field(sa_type=TIMESTAMP)


job: Table = metadata.tables["job"]
job_step: Table = metadata.tables["job_step"]
job_event: Table = metadata.tables["job_event"]
prompt_receipt: Table = metadata.tables["prompt_receipt"]
ledger_entry: Table = metadata.tables["ledger_entry"]
idempotency_key: Table = metadata.tables["idempotency_key"]
