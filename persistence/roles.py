"""The two roles that statements run as, and who may take them on.

They own nothing and cannot log in; row security binds them, whoever logged in. Roles belong to the whole server, so migrations of
several of its databases may make them at the same time.
"""

from psycopg.errors import DuplicateObject, InsufficientPrivilege, InternalError_, UniqueViolation
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from persistence.database import APPLICATION_ROLE, WORKER_ROLE

ROLES = (APPLICATION_ROLE, WORKER_ROLE)
ATTEMPTS = 10

_EXISTS = text("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role)")
_IS_MEMBER = text("""
    SELECT EXISTS (
        SELECT FROM pg_auth_members JOIN pg_roles AS granted ON granted.oid = roleid JOIN pg_roles AS holder ON holder.oid = member
        WHERE granted.rolname = :role AND holder.rolname = :login)
""")


class RolesMissing(Exception):  # noqa: N818  - read by an operator, who is told what to do
    """The login may not create the roles; the message holds the statements that an administrator has to run."""


def prepare_roles(connection: Connection, application_role: str | None) -> None:
    """Make the roles, and let `application_role` (made if missing; the connection's own login if None) act as either. Raises RolesMissing."""
    login = application_role or connection.execute(text("SELECT current_user")).scalar_one()
    quoted = connection.dialect.identifier_preparer.quote(login)
    if application_role is not None and not _holds(connection, _EXISTS, role=login):
        _unless_made_meanwhile(connection, f"CREATE ROLE {quoted} LOGIN NOINHERIT")
    for _ in range(ATTEMPTS):
        statements = [
            f"GRANT {role} TO {quoted}" if _holds(connection, _EXISTS, role=role) else f"CREATE ROLE {role} NOLOGIN ROLE {quoted}"
            for role in ROLES
            if not _holds(connection, _IS_MEMBER, role=role, login=login)
        ]
        if not statements:
            return
        try:
            for statement in statements:
                _unless_made_meanwhile(connection, statement)
        except InsufficientPrivilege:
            raise RolesMissing(
                f"This database login may not create roles. Have an administrator run once: {'; '.join(statements)};"
            ) from None
    raise RolesMissing(f"The roles {' and '.join(ROLES)} could not be made: other processes keep changing them.")


def _unless_made_meanwhile(connection: Connection, statement: str) -> None:
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(statement)
    except DBAPIError as error:
        # InternalError_ is "tuple concurrently updated": another session has changed the same role.
        if not isinstance(error.orig, (DuplicateObject, UniqueViolation, InternalError_)):
            raise (error.orig or error) from None


def _holds(connection: Connection, question: object, **parameters: str) -> bool:
    return bool(connection.execute(question, parameters).scalar_one())  # type: ignore[call-overload]
