"""The library: opens transactions on behalf of users, and hands out what may be read and written in them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cached_property
from uuid import UUID

from domain.access import User
from persistence.assessments import AssessmentRecords
from persistence.chapters import ChapterRecords
from persistence.connection import Connection
from persistence.database import Database
from persistence.jobs import JobRecords
from persistence.projects import ProjectRecords
from persistence.reference_files import ReferenceFileRecords
from persistence.spending import SpendingRecords
from persistence.users import UserRecords, user_seen
from persistence.vectors import VectorRecords
from persistence.versions import VersionRecords


class PostgresRecords:
    """One transaction of one user. Most need one or two of the repositories, so each is made when it is asked for."""

    def __init__(self, connection: Connection, user_id: UUID) -> None:
        self._connection = connection
        self.user_id = user_id

    @cached_property
    def users(self) -> UserRecords:
        return UserRecords(self._connection, self.user_id)

    @cached_property
    def projects(self) -> ProjectRecords:
        return ProjectRecords(self._connection, self.user_id)

    @cached_property
    def chapters(self) -> ChapterRecords:
        return ChapterRecords(self._connection, self.user_id)

    @cached_property
    def versions(self) -> VersionRecords:
        return VersionRecords(self._connection, self.user_id)

    @cached_property
    def reference_files(self) -> ReferenceFileRecords:
        return ReferenceFileRecords(self._connection, self.user_id)

    @cached_property
    def jobs(self) -> JobRecords:
        return JobRecords(self._connection, self.user_id)

    @cached_property
    def spending(self) -> SpendingRecords:
        return SpendingRecords(self._connection, self.user_id)

    @cached_property
    def assessments(self) -> AssessmentRecords:
        return AssessmentRecords(self._connection, self.user_id)

    @cached_property
    def vectors(self) -> VectorRecords:
        return VectorRecords(self._connection, self.user_id)


class PostgresLibrary:
    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def reading(self, user_id: UUID) -> AsyncIterator[PostgresRecords]:
        async with self._database.as_user(user_id, read_only=True) as connection:
            yield PostgresRecords(connection, user_id)

    @asynccontextmanager
    async def writing(self, user_id: UUID) -> AsyncIterator[PostgresRecords]:
        async with self._database.as_user(user_id) as connection:
            yield PostgresRecords(connection, user_id)

    async def user_seen(self, *, issuer: str, subject: str, name: str, email: str | None, new_id: UUID, at: datetime) -> User:
        # Nobody is known yet: the transaction acts for the id a new user would get, who may see nothing.
        async with self._database.as_user(new_id) as connection:
            return await user_seen(connection, issuer=issuer, subject=subject, name=name, email=email, new_id=new_id, at=at)
