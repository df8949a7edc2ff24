"""Members and their roles."""

import asyncio

import pytest

MEMBERS = "members { user { id name email } role joinedAt } viewerRole"
ME = "{ viewer { user { id } } }"


async def user_id(api):
    return (await api.ask(ME))["viewer"]["user"]["id"]


async def names(api, project):
    data = await api.ask("query($id: ID!) { project(id: $id) { members { user { name } role } } }", id=project)
    return [(member["user"]["name"], member["role"]) for member in data["project"]["members"]]


async def test_a_member_is_added_by_a_verified_address_in_any_case(api):
    await api.newcomer("Ben", email="ben@example.org")
    project = await api.project()
    api.clock.advance(hours=1)
    changed = await api.mutate("addProjectMember", MEMBERS, projectId=project, email=" BEN@example.org ", role="EDITOR")
    assert [(member["user"]["name"], member["role"]) for member in changed["members"]] == [("Ada", "OWNER"), ("Ben", "EDITOR")]
    assert changed["members"][1]["joinedAt"] == "2026-03-01T13:00:00.000000Z"


@pytest.mark.parametrize("email", ["nobody@example.org", "", "@", "not an address", "a@b\x00", "ada@example.org"])
async def test_only_a_person_who_is_here_and_no_member_yet_can_be_added(api, email):
    error = await api.refusal("addProjectMember", projectId=await api.project(), email=email, role="VIEWER")
    assert (error["__typename"], error["path"]) == ("InvalidInputError", ["input", "email"])


async def test_a_project_has_at_most_fifty_members(api):
    project = await api.project()
    for number in range(50):
        await api.newcomer(email=f"m{number}@example.org")
        payload = await api.payload("addProjectMember", "id", projectId=project, email=f"m{number}@example.org", role="VIEWER")
    (error,) = payload["errors"]
    assert (error["__typename"], error["limitName"], error["maximum"]) == ("LimitExceededError", "members", 50)
    assert len(await names(api, project)) == 50


async def test_a_role_is_changed(api):
    project = await api.project()
    ben = await api.member(project, "VIEWER")
    await api.mutate("changeProjectMemberRole", "id", projectId=project, userId=await user_id(ben), role="OWNER")
    assert ("Viewer", "OWNER") in await names(ben, project)


@pytest.mark.parametrize("mutation", ["changeProjectMemberRole", "removeProjectMember"])
async def test_the_last_owner_stays(api, mutation):
    project = await api.project()
    await api.member(project, "EDITOR")
    role = {"role": "EDITOR"} if mutation == "changeProjectMemberRole" else {}
    error = await api.refusal(mutation, projectId=project, userId=await user_id(api), **role)
    assert (error["__typename"], error["path"]) == ("InvalidInputError", ["input", "userId"])
    assert ("Ada", "OWNER") in await names(api, project)


async def test_two_owners_cannot_leave_at_the_same_time(api):
    project = await api.project()
    other = await api.member(project, "OWNER")
    leaving = [each.payload("removeProjectMember", "id", projectId=project, userId=await user_id(each)) for each in (api, other)]
    payloads = await asyncio.gather(*leaving)
    assert sorted(len(payload["errors"]) for payload in payloads) == [0, 1]


async def test_an_owner_removes_a_member_who_then_sees_nothing(api):
    project = await api.project()
    ben = await api.member(project, "EDITOR")
    assert await api.mutate("removeProjectMember", "viewerRole", projectId=project, userId=await user_id(ben)) == {"viewerRole": "OWNER"}
    assert await ben.ask("query($id: ID!) { project(id: $id) { id } }", id=project) == {"project": None}


@pytest.mark.parametrize("role", ["VIEWER", "COMMENTER", "EDITOR"])
async def test_everybody_may_leave_and_is_answered_without_the_project(api, role):
    project = await api.project()
    ben = await api.member(project, role)
    assert await ben.mutate("removeProjectMember", "viewerRole", projectId=project, userId=await user_id(ben)) is None
    assert await names(api, project) == [("Ada", "OWNER")]


async def test_members_are_not_removed_by_other_members(api):
    project = await api.project()
    ben = await api.member(project, "EDITOR")
    error = await ben.refusal("removeProjectMember", projectId=project, userId=await user_id(api))
    assert (error["__typename"], error["requiredRole"]) == ("ForbiddenError", "OWNER")


@pytest.mark.parametrize("mutation", ["changeProjectMemberRole", "removeProjectMember"])
async def test_somebody_who_is_no_member_is_not_found(api, mutation):
    stranger = await user_id(await api.newcomer())
    role = {"role": "EDITOR"} if mutation == "changeProjectMemberRole" else {}
    error = await api.refusal(mutation, projectId=await api.project(), userId=stranger, **role)
    assert (error["__typename"], error["id"], error["path"]) == ("NotFoundError", stranger, ["input", "userId"])


async def test_people_see_each_other_only_while_they_share_a_project(api):
    project = await api.project()
    ben = await api.member(project, "VIEWER")
    ben_id = await user_id(ben)
    node = "query($id: ID!) { node(id: $id) { ... on User { name } } }"
    assert (await api.ask(node, id=ben_id))["node"] == {"name": "Viewer"}
    await api.mutate("removeProjectMember", "id", projectId=project, userId=ben_id)
    assert (await api.ask(node, id=ben_id))["node"] is None


async def test_what_a_former_member_wrote_stays_and_is_theirs_without_their_profile(api):
    project = await api.project()
    ben = await api.member(project, "EDITOR")
    chapter = await ben.chapter(project, text="By Ben.")
    await ben.mutate("removeProjectMember", "id", projectId=project, userId=await user_id(ben))
    data = await api.ask("query($id: ID!) { chapter(id: $id) { currentVersion { author { name email } } } }", id=chapter)
    assert data["chapter"]["currentVersion"]["author"] == {"name": "Former member", "email": None}
