"""Members: everybody reads everything, and changes what their role allows; what it does not allow is told, and changes nothing."""

import json

import pytest

from tests.security.tenancy.asking import belonging_to, told
from tests.security.tenancy.cases import NESTED_ID_CASES, ROOT_CASES, TYPE_CASES
from tests.security.tenancy.rights import ROLES
from tests.security.tenancy.world import SECRET

READ = [case for case in (*ROOT_CASES, *NESTED_ID_CASES) if case.operation != "mutation"]
CHANGES = [(case, role) for case in ROOT_CASES if case.operation == "mutation" and case.role for role in ROLES]
ALLOWED = [(case, role) for case, role in CHANGES if ROLES.index(role) >= ROLES.index(case.role)]
DENIED = [each for each in CHANGES if each not in ALLOWED]
IMPERSONAL = {"Query.genres", "Query.models"}
"""What is the same for everybody."""


def variables(world, case):
    return case.variables(belonging_to(world.victim))


def refusals(answer):
    """Errors of the request."""
    return [error for each in json.loads(answer) for error in each["errors"]]


def payload_of(answer):
    """What a mutation has changed, and its typed errors."""
    (told,) = json.loads(answer)
    (payload,) = told["data"].values()
    errors = next(name for name in payload if name.endswith("_errors"))
    (result,) = (value for name, value in payload.items() if name not in {errors, "__typename"})
    return result, payload[errors]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("case", READ, ids=str)
async def test_every_member_reads_everything(world, case, role):
    with world.contents.unchanged():
        answer = await told(world.members[role], case, variables(world, case))
    assert refusals(answer) == []
    assert (SECRET in answer) is (str(case) not in IMPERSONAL)


@pytest.mark.parametrize("case", TYPE_CASES, ids=str)
async def test_members_reach_every_type_of_object(world, case):
    answer = await told(world.members["VIEWER"], case, variables(world, case))
    assert refusals(answer) == []
    assert f'"__typename": "{case.kind}"' in answer


@pytest.mark.parametrize(("case", "role"), ALLOWED, ids=[f"{case} {role}" for case, role in ALLOWED])
async def test_members_change_what_their_role_allows(changing, case, role):
    before = changing.contents.digest()
    answer = await told(changing.members[role], case, variables(changing, case))
    _, errors = payload_of(answer)
    assert (refusals(answer), errors) == ([], [])
    assert changing.contents.digest() != before


@pytest.mark.parametrize(("case", "role"), DENIED, ids=[f"{case} {role}" for case, role in DENIED])
async def test_members_change_nothing_else(world, case, role):
    with world.contents.unchanged():
        answer = await told(world.members[role], case, variables(world, case))
    result, (error,) = payload_of(answer)
    assert (error["__typename"], error["ForbiddenError_requiredRole"]) == ("ForbiddenError", case.role)
    assert result is None


@pytest.mark.parametrize("role", ROLES[:-1])
async def test_everybody_may_leave(changing, role):
    member = changing.members[role]
    me = (await member.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    await member.ask(
        "mutation($input: RemoveProjectMemberInput!) { removeProjectMember(input: $input) { project { id } errors { code } } }",
        input={"projectId": changing.victim["Project"], "userId": me},
    )
    assert (await member.ask("query($id: ID!) { project(id: $id) { id } }", id=changing.victim["Project"])) == {"project": None}
