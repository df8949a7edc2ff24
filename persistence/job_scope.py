"""The jobs of one transaction's user: those of the projects they are a member of, whatever row security says."""

from uuid import UUID

from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.access import Role
from domain.errors import NotFound
from persistence.membership import accessible
from persistence.tables.jobs import job


class JobScope:
    def __init__(self, connection: AsyncConnection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    def _visible(self, table: Table) -> ColumnElement[bool]:
        return accessible(table.c.project_id, self._user_id)

    async def _project_to_edit(self, job_id: UUID) -> UUID:
        """The job's project. Raises NotFound when there is no such job in a project in which the user may write."""
        editable = accessible(job.c.project_id, self._user_id, Role.EDITOR)
        found: UUID | None = await self._connection.scalar(select(job.c.project_id).where(job.c.id == job_id, editable))
        if found is None:
            raise NotFound(job_id)
        return found
