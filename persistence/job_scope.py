"""The jobs of one transaction's user: those of the projects they are a member of, whatever row security says."""

from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from domain.access import Role
from domain.errors import NotFound
from persistence.connection import Connection
from persistence.membership import accessible
from persistence.tables.jobs import job

EDITABLE = accessible(job.c.project_id, minimum=Role.EDITOR)
_TO_EDIT = select(job.c.id).where(job.c.id == bindparam("job_id", type_=Uuid), EDITABLE)


class JobScope:
    def __init__(self, connection: Connection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def _require_editor(self, job_id: UUID) -> None:
        """Raises NotFound when there is no such job in a project in which the user may write."""
        if await self._connection.scalar(_TO_EDIT, {"job_id": job_id, "acting_user": self._user_id}) is None:
            raise NotFound(job_id)
