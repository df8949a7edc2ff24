"""People: the viewer, the members of a project, and who did what."""

from datetime import datetime
from uuid import UUID

from domain.access import Membership, Role, User
from domain.errors import InvalidInput, NotFound
from domain.ports import Records
from domain.projects import Project
from domain.spending import Budget, UsageReport
from domain.writing import checks
from resolvers.access import find_project, lock_project
from resolvers.context import RequestContext

FORMER_MEMBER = "Former member"


async def person(context: RequestContext, user_id: UUID) -> User:
    """Whoever did something in a project the viewer may see; people who have left it since are shown without their profile."""
    return await context.loaders.users.load(user_id) or User(user_id, FORMER_MEMBER, None)


async def own_usage(context: RequestContext, *, since: datetime | None, until: datetime | None) -> UsageReport:
    async with context.reading() as records:
        return await records.spending.report_of_user(since=since, until=until)


async def own_month(context: RequestContext) -> Budget:
    async with context.reading() as records:
        return await records.spending.month(limit=context.monthly_limit)


async def add_member(context: RequestContext, project_id: UUID, *, email: str, role: Role) -> Project:
    path = ("input", "email")
    address = checks.email_address(email, path)
    async with context.writing() as records:
        project = await lock_project(records, project_id, Role.OWNER)
        user_id = await records.users.id_by_email(address)
        if user_id is None:
            raise InvalidInput("Nobody with this verified address has signed in here yet. Ask them to sign in once.", path)
        members = await _members(records, project_id)
        if user_id in members:
            raise InvalidInput("This person is a member already: change their role instead.", path)
        checks.at_most(len(members) + 1, limit_name="members", limit=checks.MEMBERS, path=path)
        await records.projects.add_member(Membership(project_id, user_id, role, context.clock()))
    return project


async def change_member_role(context: RequestContext, project_id: UUID, *, user_id: UUID, role: Role) -> Project:
    async with context.writing() as records:
        project = await lock_project(records, project_id, Role.OWNER)
        members = await _members(records, project_id)
        _require_member(members, user_id)
        if role is not Role.OWNER:
            _keep_an_owner(members, without=user_id)
        await records.projects.change_role(project_id, user_id, role)
    return project


async def remove_member(context: RequestContext, project_id: UUID, *, user_id: UUID) -> Project | None:
    """Owners remove anybody, anybody removes themselves; who has done so sees the project no more, so there is none to answer."""
    leaves = user_id == context.viewer.id
    async with context.writing() as records:
        project = await find_project(records, project_id, Role.VIEWER if leaves else Role.OWNER)
        await records.projects.lock(project_id)  # two owners must not leave at once; whoever it does not hold is no owner
        members = await _members(records, project_id)
        _require_member(members, user_id)
        _keep_an_owner(members, without=user_id)
        await records.projects.remove_member(project_id, user_id)
    return None if leaves else project


async def _members(records: Records, project_id: UUID) -> dict[UUID, Role]:
    memberships = (await records.projects.members([project_id])).get(project_id, ())
    return {membership.user_id: membership.role for membership in memberships}


def _require_member(members: dict[UUID, Role], user_id: UUID) -> None:
    if user_id not in members:
        raise NotFound(user_id, path=("input", "userId"))


def _keep_an_owner(members: dict[UUID, Role], *, without: UUID) -> None:
    if not any(role is Role.OWNER for user_id, role in members.items() if user_id != without):
        raise InvalidInput("A project needs an owner: make somebody else one first.", ("input", "userId"))
