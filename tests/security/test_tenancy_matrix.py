"""Every root field of the schema, tried by everybody who may not: nothing leaks, nothing changes, nothing tells that there is something.

A root field without an entry here fails the suite.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType, get_named_type, is_leaf_type, is_required_argument

from domain.assessing.assessment import FindingEvidence, FoundIssue
from domain.jobs.events import TextAppended
from domain.prompting.receipts import Prompt, Source, SourceKind
from persistence.database import Database
from schema.failures import explain
from tests.api import Api, served_schema, serving, uuid_of
from tests.conftest import APPLICATION_LOGIN
from tests.factories import Cluster, DatabasePool, an_issue
from tests.persistence.job_world import prompt

SECRET = "Zyzzyva"
ROLES = ["VIEWER", "COMMENTER", "EDITOR", "OWNER"]
MEMBERS = ROLES[:-1]
SCHEMA = served_schema()._schema
DEPTH = 4


@dataclass(frozen=True)
class Entry:
    """How a root field is tried: its arguments, with names of the victim's things in braces, and the role it takes.

    No role for what everybody may ask of their own.
    """

    template: dict[str, Any]
    role: str | None = None

    def arguments(self, names: Mapping[str, str]) -> dict[str, Any]:
        def fill(value: Any) -> Any:
            if isinstance(value, dict):
                return {name: fill(content) for name, content in value.items()}
            if isinstance(value, list):
                return [fill(content) for content in value]
            return value.format_map(names) if isinstance(value, str) else value

        return {name: fill(value) for name, value in self.template.items()}


def given(role: str | None = None, /, **arguments: Any) -> Entry:
    return Entry(arguments, role)


def change(role: str | None, /, **values: Any) -> Entry:
    return given(role, input=values)


QUERIES = {
    "viewer": given(),
    "node": given("VIEWER", id="{project}"),
    "nodes": given("VIEWER", ids=["{project}", "{chapter}", "{version}", "{file}", "{job}", "{owner}", "{assessment}", "{finding}"]),
    "project": given("VIEWER", id="{project}"),
    "projects": given(),
    "chapter": given("VIEWER", id="{chapter}"),
    "job": given("VIEWER", id="{job}"),
    "promptPreview": given("VIEWER", input={"chapterId": "{chapter}", "include": ["{file}"]}),
    "promptComparison": given("VIEWER", before="{draft}", after="{redraft}"),
    "mentions": given("VIEWER", projectId="{project}", text=f"{SECRET} is named."),
    "genres": given(),
    "models": given(),
}
MUTATIONS = {
    "createProject": change(None, title="Mine", genre="OTHER"),
    "updateProject": change("EDITOR", id="{project}", title="Taken"),
    "deleteProject": change("OWNER", id="{project}"),
    "addProjectMember": change("OWNER", projectId="{project}", email="{asker}", role="OWNER"),
    "changeProjectMemberRole": change("OWNER", projectId="{project}", userId="{owner}", role="VIEWER"),
    "removeProjectMember": change("OWNER", projectId="{project}", userId="{owner}"),
    "createReferenceFile": change("EDITOR", projectId="{project}", name="N", kind="OTHER", content="C"),
    "updateReferenceFile": change("EDITOR", id="{file}", content="Taken"),
    "deleteReferenceFile": change("EDITOR", id="{file}"),
    "createChapter": change("EDITOR", projectId="{project}", title="T", text="Text."),
    "updateChapter": change("EDITOR", id="{chapter}", title="Taken"),
    "moveChapter": change("EDITOR", id="{chapter}", position=2),
    "deleteChapter": change("EDITOR", id="{chapter}"),
    "saveChapterText": change("EDITOR", chapterId="{chapter}", text="Taken.", baseVersionId="{version}"),
    "restoreChapterVersion": change("EDITOR", versionId="{version}"),
    "startChapterGeneration": change("EDITOR", chapterId="{chapter}", include=["{file}"], idempotencyKey="k"),
    "startChapterRevision": change("EDITOR", versionId="{draft}", findingIds=["{finding}"], idempotencyKey="r"),
    "startAssessment": change("EDITOR", versionId="{version}", idempotencyKey="a"),
    "dismissFinding": change("EDITOR", findingId="{finding}", reason="Taken."),
    "cancelJob": change("EDITOR", jobId="{job}"),
    "changeJobCostLimit": change("EDITOR", jobId="{job}", costLimit=None),
    "retryJob": change("EDITOR", jobId="{finished_job}"),
}
SUBSCRIPTIONS = {"jobEvents": given("VIEWER", jobId="{job}")}

FOREIGN_PARTS = {
    "saveChapterText": change("EDITOR", chapterId="{own_chapter}", text="Mine.", baseVersionId="{version}"),
    "startChapterGeneration include": change("EDITOR", chapterId="{own_chapter}", include=["{file}"]),
    "startChapterGeneration exclude": change("EDITOR", chapterId="{own_chapter}", exclude=["{chapter}"]),
    "startChapterRevision findingIds": change("EDITOR", versionId="{own_version}", findingIds=["{finding}"]),
    "changeProjectMemberRole": change("OWNER", projectId="{own_project}", userId="{owner}", role="OWNER"),
    "removeProjectMember": change("OWNER", projectId="{own_project}", userId="{owner}"),
}
"""Somebody's own entity together with the victim's."""


COMPARISONS = {
    "two versions": "query($own: ID!, $other: ID!) { promptComparison(before: $own, after: $other) { ...F } }",
    "two versions, the other way round": ("query($own: ID!, $other: ID!) { promptComparison(before: $other, after: $own) { ...F } }"),
    "a preview": (
        "query($chapter: ID!, $own: ID!, $other: ID!) { promptPreview(input: {chapterId: $chapter}) "
        "{ own: comparedTo(versionId: $own) { ...F } comparedTo(versionId: $other) { ...F } } }"
    ),
}
"""One's own prompt compared with the victim's."""


def selection(type_: Any, depth: int = DEPTH) -> str:
    """Everything that can be selected of a type without arguments, so many levels deep."""
    match type_ := get_named_type(type_):
        case GraphQLUnionType() | GraphQLInterfaceType():
            fragments = (f"... on {each.name} {selection(each, depth)}" for each in SCHEMA.get_possible_types(type_))
            return f"{{ __typename {' '.join(fragments)} }}"
        case GraphQLObjectType():
            # Renamed by type: fragments of one interface may have fields of one name and different types.
            fields = (
                f"{type_.name}_{name}: {name} {'' if is_leaf_type(get_named_type(field.type)) else selection(field.type, depth - 1)}"
                for name, field in type_.fields.items()
                if not any(map(is_required_argument, field.args.values())) and (depth or is_leaf_type(get_named_type(field.type)))
            )
            return f"{{ __typename {' '.join(fields)} }}"
        case _:
            return ""


def document(operation: str, root: GraphQLObjectType, name: str, depth: int) -> str:
    field = root.fields[name]
    declared = ", ".join(f"${argument}: {value.type}" for argument, value in field.args.items())
    passed = ", ".join(f"{argument}: ${argument}" for argument in field.args)
    return f"{operation}{f'({declared})' if declared else ''} {{ {name}{f'({passed})' if passed else ''} {selection(field.type, depth)} }}"


async def answer(api: Api, operation: str, name: str, arguments: dict[str, Any]) -> str:
    """Everything a client is told, as text."""
    root = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type, "subscription": SCHEMA.subscription_type}[operation]
    asked = document(operation, root, name, DEPTH if operation == "query" else 2)
    result = await (first_event(api, asked, arguments) if operation == "subscription" else api.execute(asked, **arguments))
    for error in result.errors or ():
        assert explain(error.original_error) is not None, error
    return json.dumps({"data": result.data, "errors": [str(explain(error.original_error)) for error in result.errors or ()]})


async def first_event(api: Api, asked: str, arguments: dict[str, Any]) -> Any:
    results = await api.schema.subscribe(asked, variable_values=arguments, context_value=api.context())
    if not hasattr(results, "__anext__"):
        return results
    async with aclosing(results):
        return await anext(results)


def nonexistent(arguments: Any) -> Any:
    """The same with ids of nothing."""
    text = json.dumps(arguments)
    return json.loads(
        re.sub(r"\b(project|chapter|version|reference|job|user|assessment|finding)_[0-9a-z]{26}", r"\1_" + "0" * 25 + "7", text)
    )


def without_ids(text: str) -> str:
    return re.sub(r"_[0-9a-z]{26}\b", "_ID", text)


@dataclass(frozen=True)
class World:
    """A project of Ada's with the secret in everything it holds, and people with and without a part in it."""

    ada: Api
    names: Mapping[str, str]
    outsiders: Mapping[str, Api]
    members: Mapping[str, Api]
    owner_url: str

    def arguments(self, entry: Entry, asker: Api, **own: str) -> dict[str, Any]:
        return entry.arguments({**self.names, "asker": asker.user.email, **own})

    def digest(self) -> list[Any]:
        """One text for everything in each table."""
        with psycopg.connect(self.owner_url) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
            return [
                connection.execute(
                    f"SELECT %s, md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM \"{table}\" t", (table,)
                ).fetchone()
                for (table,) in tables
            ]


def secret_prompt(group: str) -> Prompt:
    built = prompt()
    items = tuple(replace(item, source=None, label=SECRET, group=group, evidence=(SECRET,)) for item in built.receipt.items)
    return replace(built, receipt=replace(built.receipt, items=items))


def secret_issue(file: str) -> FoundIssue:
    conflict = FindingEvidence(Source(SourceKind.REFERENCE_FILE, uuid_of(file)), SECRET)
    return an_issue(message=SECRET, suggestion=SECRET, replacement=SECRET, conflicts_with=conflict)


async def things_of(ada: Api) -> dict[str, str]:
    project = await ada.project(title=SECRET, premise=SECRET, styleNotes=SECRET, audience=SECRET, budgetLimit="123.456789")
    chapter = await ada.chapter(project, title=SECRET, brief=f"{SECRET} speaks.", text=f"{SECRET} spoke.", pointOfViewCharacter=SECRET)
    other = await ada.chapter(project, title=SECRET, brief=SECRET)
    found = await ada.ask("query($id: ID!) { chapter(id: $id) { currentVersion { id } } viewer { user { id } } }", id=chapter)
    file = await ada.reference_file(project, name=SECRET, content=SECRET, aliases=[SECRET.lower()])
    job = await ada.job(chapter, instructions=SECRET)
    await ada.work(job, TextAppended("draft/1", 0, SECRET))
    draft, redraft = [await ada.draft(other, prompt) for prompt in (secret_prompt("brief"), secret_prompt("style"))]
    assessment = await ada.assessment(draft, secret_issue(file), notes=(SECRET,))
    (finding,) = await ada.findings(assessment)
    finished = await ada.job(other)
    await ada.mutate("cancelJob", "id", jobId=finished)
    return {
        "project": project,
        "chapter": chapter,
        "version": found["chapter"]["currentVersion"]["id"],
        "draft": draft,
        "redraft": redraft,
        "assessment": assessment,
        "finding": finding,
        "file": file,
        "job": job,
        "finished_job": finished,
        "owner": found["viewer"]["user"]["id"],
    }


async def stranger(ada: Api, _project: str) -> Api:
    return await ada.newcomer("Mallory", email="mallory@example.org")


async def removed_member(ada: Api, project: str) -> Api:
    trudy = await ada.member(project, "EDITOR")
    me = (await trudy.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    await ada.mutate("removeProjectMember", "id", projectId=project, userId=me)
    return trudy


OUTSIDERS = {"stranger": stranger, "removed member": removed_member}


@asynccontextmanager
async def new_world(cluster: Cluster, databases: DatabasePool) -> AsyncIterator[World]:
    with databases.borrow() as name:
        database = Database(cluster.url(name, login=APPLICATION_LOGIN))
        async with serving(database) as api:
            ada = await api.newcomer(f"Ada {SECRET}", email=f"{SECRET}@example.org")
            names = await things_of(ada)
            yield World(
                ada=ada,
                names=names,
                outsiders={who: await arrive(ada, names["project"]) for who, arrive in OUTSIDERS.items()},
                members={role: await ada.member(names["project"], role) for role in MEMBERS},
                owner_url=cluster.url(name),
            )
        await database.close()


@pytest.fixture(scope="module")
async def world(cluster: Cluster, databases: DatabasePool) -> AsyncIterator[World]:
    """For all who may change nothing, as each of their tests proves."""
    async with new_world(cluster, databases) as world:
        yield world


@pytest.fixture
async def own_world(cluster: Cluster, databases: DatabasePool) -> AsyncIterator[World]:
    """For one who may change something."""
    async with new_world(cluster, databases) as world:
        yield world


def test_every_root_field_has_an_entry():
    assert set(SCHEMA.query_type.fields) == set(QUERIES)
    assert set(SCHEMA.mutation_type.fields) == set(MUTATIONS)
    assert set(SCHEMA.subscription_type.fields) == set(SUBSCRIPTIONS)


EVERY_FIELD = [
    *(("query", name, entry) for name, entry in QUERIES.items()),
    *(("mutation", name, entry) for name, entry in MUTATIONS.items()),
    *(("subscription", name, entry) for name, entry in SUBSCRIPTIONS.items()),
]


@pytest.mark.parametrize("who", OUTSIDERS)
@pytest.mark.parametrize(("operation", "name", "entry"), EVERY_FIELD, ids=[f"{operation} {name}" for operation, name, _ in EVERY_FIELD])
async def test_outsiders_are_answered_as_if_there_were_nothing(world, operation, name, entry, who):
    outsider = world.outsiders[who]
    arguments = world.arguments(entry, outsider)
    before = world.digest()
    tried = await answer(outsider, operation, name, arguments)
    if entry.role is not None or operation != "mutation":
        assert world.digest() == before
    assert SECRET.lower() not in tried.lower()
    if entry.role is not None:
        assert without_ids(tried) == without_ids(await answer(outsider, operation, name, nonexistent(arguments)))


@pytest.mark.parametrize("who", OUTSIDERS)
@pytest.mark.parametrize("name", FOREIGN_PARTS)
async def test_what_is_others_cannot_be_used_with_ones_own(world, name, who):
    outsider = world.outsiders[who]
    own = await outsider.project()
    chapter = await outsider.chapter(own, text="Mine already.")
    version = await outsider.current_version(chapter)
    wanted = world.arguments(FOREIGN_PARTS[name], outsider, own_project=own, own_chapter=chapter, own_version=version)
    before = world.digest()
    tried = await answer(outsider, "mutation", name.split()[0], wanted)
    assert world.digest() == before
    assert "NotFoundError" in tried
    assert SECRET.lower() not in tried.lower()


@pytest.mark.parametrize("who", OUTSIDERS)
@pytest.mark.parametrize("name", COMPARISONS)
async def test_what_others_have_sent_cannot_be_compared_with_ones_own(world, name, who):
    outsider = world.outsiders[who]
    chapter = await outsider.chapter(await outsider.project())
    own = await outsider.draft(chapter)
    asked = f"{COMPARISONS[name]} fragment F on PromptComparison {selection(SCHEMA.type_map['PromptComparison'], 2)}"

    async def told(other: str) -> list[str]:
        result = await outsider.execute(asked, chapter=chapter, own=own, other=other)
        return [str(explain(error.original_error)) for error in result.errors or ()]

    assert await told(own) == []
    (refusal,) = await told(world.names["draft"])
    assert "There is nothing with this id" in refusal
    assert [refusal] == await told(nonexistent(world.names["draft"]))


@pytest.mark.parametrize("role", MEMBERS)
async def test_every_member_may_compare_a_preview_with_what_was_sent(world, role):
    asked = f"""query($chapter: ID!, $draft: ID!) {{ promptPreview(input: {{chapterId: $chapter}}) {{
        comparedTo(versionId: $draft) {selection(SCHEMA.type_map["PromptComparison"], 2)} }} }}"""
    names = world.names
    assert SECRET in json.dumps(await world.members[role].ask(asked, chapter=names["chapter"], draft=names["draft"]))


GUARDED = [(name, role) for name, entry in MUTATIONS.items() if entry.role for role in MEMBERS]
PERMITTED = [(name, role) for name, role in GUARDED if ROLES.index(role) >= ROLES.index(MUTATIONS[name].role)]


@pytest.mark.parametrize(("name", "role"), PERMITTED)
async def test_members_may_change_what_their_role_allows(own_world, name, role):
    member = own_world.members[role]
    tried = await answer(member, "mutation", name, own_world.arguments(MUTATIONS[name], member))
    assert "ForbiddenError" not in tried
    assert "NotFoundError" not in tried


@pytest.mark.parametrize(("name", "role"), [each for each in GUARDED if each not in PERMITTED])
async def test_members_may_change_nothing_else(world, name, role):
    member, entry = world.members[role], MUTATIONS[name]
    before = world.digest()
    tried = await answer(member, "mutation", name, world.arguments(entry, member))
    assert world.digest() == before
    assert f'"ForbiddenError_requiredRole": "{entry.role}"' in tried


async def test_the_budget_is_for_owners(world):
    before = world.digest()
    error = await world.members["EDITOR"].refusal("updateProject", id=world.names["project"], budgetLimit=None)
    assert (error["__typename"], error["requiredRole"]) == ("ForbiddenError", "OWNER")
    assert world.digest() == before


@pytest.mark.parametrize("name", [name for name, entry in QUERIES.items() if entry.role])
async def test_every_member_may_read_everything(world, name):
    viewer = world.members["VIEWER"]
    before = world.digest()
    tried = await answer(viewer, "query", name, world.arguments(QUERIES[name], viewer))
    assert json.loads(tried)["errors"] == []
    assert SECRET in tried
    assert world.digest() == before


async def test_every_member_may_follow_a_job(world):
    viewer = world.members["VIEWER"]
    assert '"jobEvents"' in await answer(viewer, "subscription", "jobEvents", world.arguments(SUBSCRIPTIONS["jobEvents"], viewer))
