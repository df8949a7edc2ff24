"""People as the API shows them."""

from datetime import datetime

import strawberry
from strawberry import ID, Parent

from domain import access
from resolvers import people
from schema.enums import Role
from schema.fields import Info, attribute, field, required
from schema.node import Node


@strawberry.type(description="A person who has signed in here. Visible to themselves and to those they share a project with.")
class User(Node):
    shows = access.User

    name: str = attribute("As the person's identity provider gives it.")
    email: str | None = attribute("An address that the identity provider has verified; null if there is none.")


@strawberry.type(description="A person's place in a project.")
class ProjectMember:
    role: Role = attribute("What they may do.")
    joined_at: datetime = attribute("When they were added.")

    @field(User, "The person.")
    @staticmethod
    async def user(parent: Parent[access.Membership], info: Info) -> access.User:
        return await people.person(info.context, parent.user_id)


@strawberry.input(description="Whom to add to a project. For its owners; at most 50 members.")
class AddProjectMemberInput:
    project_id: ID = required("The project.")
    email: str = required("The verified address of somebody who has signed in here at least once, upper or lower case alike.")
    role: Role = required("What they may do.")


@strawberry.input(description="Whose role to change. For the project's owners.")
class ChangeProjectMemberRoleInput:
    project_id: ID = required("The project.")
    user_id: ID = required("The member.")
    role: Role = required("What they may do from now on. The last owner stays an owner.")


@strawberry.input(description="Whom to remove from a project. For its owners; everybody may remove themselves.")
class RemoveProjectMemberInput:
    project_id: ID = required("The project.")
    user_id: ID = required("The member. The last owner stays.")
