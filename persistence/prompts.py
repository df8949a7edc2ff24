"""The prompts that jobs have built, with their receipts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, bindparam, select

from domain.llm.model import Message
from domain.prompting.receipts import Prompt, PromptReceipt
from persistence.documents import from_document
from persistence.job_scope import EDITABLE, JobScope
from persistence.membership import accessible, change, given, insert_if
from persistence.projection import any_of, columns_of, to_row, to_value
from persistence.tables.jobs import job, prompt_receipt

DRAFT = "draft"

_SEEN = accessible(prompt_receipt.c.project_id)
_LAST_MESSAGES = (
    select(prompt_receipt.c.messages)
    .where(prompt_receipt.c.chapter_id == bindparam("chapter_id", type_=Uuid), prompt_receipt.c.step == DRAFT, _SEEN)
    .order_by(prompt_receipt.c.at.desc())
    .limit(1)
)
_OF_JOB = select(*columns_of(Prompt, prompt_receipt), prompt_receipt.c.id).where(
    prompt_receipt.c.job_id == bindparam("job_id", type_=Uuid), prompt_receipt.c.step == bindparam("step", type_=Text), _SEEN
)
_RECEIPTS = select(prompt_receipt.c.id, prompt_receipt.c.receipt).where(any_of(prompt_receipt.c.id, "ids"), _SEEN)
_ADD = insert_if(
    prompt_receipt,
    {
        "job_id": job.c.id,
        "project_id": job.c.project_id,
        **given(prompt_receipt, ("id", "chapter_id", "at", "step", *(column.name for column in columns_of(Prompt, prompt_receipt)))),
    },
    and_(job.c.id == bindparam("job_id", type_=Uuid), EDITABLE),
)


class Prompts(JobScope):
    async def last_messages(self, chapter_id: UUID) -> Sequence[Message]:
        newest = await self._connection.scalar(_LAST_MESSAGES, {"chapter_id": chapter_id, "acting_user": self._user_id})
        return [from_document(Message, message) for message in newest or ()]

    async def add_prompt(
        self, prompt: Prompt, *, receipt_id: UUID, job_id: UUID, chapter_id: UUID, at: datetime, step: str = DRAFT
    ) -> None:
        """Raises NotFound."""
        row = {"id": receipt_id, "job_id": job_id, "chapter_id": chapter_id, "at": at, "step": step, **to_row(prompt)}
        await change(self._connection, _ADD, {**row, "acting_user": self._user_id}, entity=job_id)

    async def prompt_of(self, job_id: UUID, *, step: str = DRAFT) -> tuple[UUID, Prompt] | None:
        row = (await self._connection.execute(_OF_JOB, {"job_id": job_id, "step": step, "acting_user": self._user_id})).first()
        return None if row is None else (row.id, to_value(Prompt, row))

    async def receipts(self, ids: Sequence[UUID]) -> Mapping[UUID, PromptReceipt]:
        rows = await self._connection.execute(_RECEIPTS, {"ids": ids, "acting_user": self._user_id})
        return {receipt_id: from_document(PromptReceipt, receipt) for receipt_id, receipt in rows}
