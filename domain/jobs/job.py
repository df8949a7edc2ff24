"""A job: what was asked for, how far it is, and which changes of its state are legal.

    QUEUED ──► RUNNING ──► SUCCEEDED
      │ ▲        │ ├─────► FAILED ──► QUEUED (retry)
      │ └────────┤ └─────► WAITING ─► QUEUED (a limit was raised)
      │          ▼
      └─────► CANCELLING ► CANCELLED

A running job goes back to the queue when its worker shuts down, or when somebody else's turn has come. One that was never begun, and
so has nothing to keep, is CANCELLED at once.

A worker owns a running job by a lease and an epoch: the epoch rises whenever the job changes hands, and every write names it.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from uuid import UUID

from domain.llm.model import TokenUsage
from domain.spending import ZERO, CostEstimate, LimitName, Usage

WAITING_FOR = {
    LimitName.COST_LIMIT: "The job has reached its cost limit. It goes on when the limit is raised to {required} USD or more.",
    LimitName.BUDGET_LIMIT: "The project's budget is used up. The job goes on when the budget is raised to {required} USD or more.",
    LimitName.MONTHLY_LIMIT: "What you may spend this month is used up. The job goes on next month, or when the limit is raised.",
}


class JobKind(StrEnum):
    CHAPTER = "CHAPTER"
    REVISION = "REVISION"
    ASSESSMENT = "ASSESSMENT"


class JobStatus(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    CANCELLING = "CANCELLING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        return self in FINAL_STATUSES


FINAL_STATUSES = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})
ACTIVE_STATUSES = frozenset(JobStatus) - FINAL_STATUSES


class JobStage(StrEnum):
    QUEUED = "QUEUED"
    CONTEXT = "CONTEXT"
    PLANNING = "PLANNING"
    DRAFTING = "DRAFTING"
    CHECKING = "CHECKING"
    ASSESSING = "ASSESSING"
    REVISING = "REVISING"
    SETTLING = "SETTLING"
    RENDERING = "RENDERING"
    DONE = "DONE"


class JobPriority(IntEnum):
    """The higher goes first."""

    BULK = -1
    INTERACTIVE = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLimits:
    """How many jobs of one user, and of one project, run at the same time, in all processes together."""

    per_user: int = 4
    per_project: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailure:
    """`code` is stable and for programs, `message` for people; `retryable` says whether trying again may help."""

    code: str
    message: str
    retryable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The limit that a waiting job has reached, and what that would have to be for the job to go on. USD.

    `required` is None for a user's month, which is nobody else's business. `needs` is what the job's next call costs at least.
    """

    limit_name: str
    limit: Decimal
    required: Decimal | None
    needs: Decimal

    @property
    def message(self) -> str:
        """For people."""
        return WAITING_FOR[LimitName(self.limit_name)].format(required=self.required)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """The arguments of a chapter generation as they were accepted, defaults filled in; `base_version_id` was the current version then.

    A draft is assessed by `assessor_model` and, below `quality_target`, revised `max_revisions` times at most; with 0 it is only measured.
    """

    instructions: str
    include: tuple[UUID, ...]
    exclude: tuple[UUID, ...]
    model: str
    token_budget: int
    temperature: float
    base_version_id: UUID | None
    assessor_model: str = ""
    quality_target: float = 0.0
    max_revisions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRequest:
    """Which findings of a version to see to, and what else to do. `model` writes, `assessor_model` compares and judges what comes out.

    Only where the version is the current one in the end, the revision takes its place.
    """

    version_id: UUID
    finding_ids: tuple[UUID, ...]
    instructions: str
    model: str
    assessor_model: str
    temperature: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentRequest:
    """Which version to assess; with `metrics_only`, without a model."""

    version_id: UUID
    model: str
    metrics_only: bool


JobRequest = GenerationRequest | RevisionRequest | AssessmentRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    id: UUID
    project_id: UUID
    chapter_id: UUID | None
    kind: JobKind
    status: JobStatus
    stage: JobStage
    progress: float
    started_by: UUID
    attempt: int
    request: JobRequest
    rehearsal: bool
    cost_limit: Decimal | None
    estimate: CostEstimate
    result_version_id: UUID | None
    failure: JobFailure | None
    last_sequence: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    priority: JobPriority = JobPriority.INTERACTIVE
    waiting: Waiting | None = None
    result_assessment_id: UUID | None = None
    remark: str | None = None

    @property
    def assessed_version_id(self) -> UUID | None:
        """None for a job that writes."""
        return self.request.version_id if isinstance(self.request, AssessmentRequest) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A worker's hold on a job; every write it makes names `epoch`, and is refused once another worker has claimed.

    `stumbles`: how many workers have vanished with this job since somebody last asked for it. `progress`: how far earlier ones had come.
    `funds`: USD that are held for the job and that its own limit leaves, for the first call that is made under this claim.
    """

    job_id: UUID
    kind: JobKind
    project_id: UUID
    user_id: UUID
    epoch: int
    attempt: int
    cancel_requested: bool
    stumbles: int = 0
    progress: float = 0.0
    funds: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStep:
    """One recorded step. `uncertain`: a call was in flight when its worker died, so it may have been paid without a result."""

    job_id: UUID
    name: str
    status: JobStatus
    model: str | None
    usage: Usage
    started_at: datetime | None
    finished_at: datetime | None
    uncertain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CallIntent:
    """Written before a paid call: its id, which step, which model, and a sha256 of exactly what will be sent.

    `expected` and `expected_cost` enter the ledger should the call's worker die before its result is recorded.
    """

    call_id: UUID
    step: str
    model: str
    request_hash: str
    expected: TokenUsage
    expected_cost: Decimal | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """What a model call came to. `finish` is the model's finish reason; `cost` None for an unpriced model."""

    text: str
    finish: str
    usage: TokenUsage
    cost: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a job ended. `status` is final; a cancelled job has a result when text had been written.

    `remark` is what its starter should know of a result that is not all they may expect, in sentences.
    """

    status: JobStatus
    at: datetime
    result_version_id: UUID | None = None
    result_assessment_id: UUID | None = None
    failure: JobFailure | None = None
    remark: str | None = None


class CallsLost(Exception):  # noqa: N818  - nobody's fault that could be named here
    """Two calls for the same request were lost with their workers: a third is only made when a person asks for it."""


class LeaseLost(Exception):  # noqa: N818  - not a malfunction: somebody else works on the job now
    """Another worker has claimed this job: whatever this one still holds must not be written."""
