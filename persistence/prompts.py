"""The prompts that jobs have built, with their receipts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select

from domain.llm.model import Message
from domain.prompting.receipts import Prompt, PromptReceipt
from persistence.documents import from_document
from persistence.job_scope import JobScope
from persistence.projection import among, columns_of, to_row, to_value
from persistence.tables.jobs import prompt_receipt


class Prompts(JobScope):
    async def last_messages(self, chapter_id: UUID) -> Sequence[Message]:
        newest = (
            select(prompt_receipt.c.messages)
            .where(prompt_receipt.c.chapter_id == chapter_id, self._visible(prompt_receipt))
            .order_by(prompt_receipt.c.at.desc())
            .limit(1)
        )
        messages = (await self._connection.execute(newest)).scalar_one_or_none()
        return [from_document(Message, message) for message in messages or ()]

    async def add_prompt(self, prompt: Prompt, *, receipt_id: UUID, job_id: UUID, chapter_id: UUID, at: datetime) -> None:
        """Raises NotFound."""
        project_id = await self._project_to_edit(job_id)
        row = {"id": receipt_id, "project_id": project_id, "job_id": job_id, "chapter_id": chapter_id, "at": at, **to_row(prompt)}
        await self._connection.execute(insert(prompt_receipt).values(row))

    async def prompt_of(self, job_id: UUID) -> tuple[UUID, Prompt] | None:
        built = select(*columns_of(Prompt, prompt_receipt), prompt_receipt.c.id)
        row = (await self._connection.execute(built.where(prompt_receipt.c.job_id == job_id, self._visible(prompt_receipt)))).first()
        return None if row is None else (row.id, to_value(Prompt, row))

    async def receipts(self, ids: Sequence[UUID]) -> Mapping[UUID, PromptReceipt]:
        chosen = among(prompt_receipt.c.id, ids)
        rows = await self._connection.execute(
            select(prompt_receipt.c.id, prompt_receipt.c.receipt).where(chosen, self._visible(prompt_receipt))
        )
        return {receipt_id: from_document(PromptReceipt, receipt) for receipt_id, receipt in rows}
