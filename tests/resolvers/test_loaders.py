"""Loading in batches: the number of statements does not grow with the number of things, and nothing read is kept."""

import pytest

from domain.assessing.assessment import FindingEvidence
from domain.prompting.receipts import Source, SourceKind
from tests.api import uuid_of
from tests.factories import an_issue
from tests.statements import statements_sent

DEEP = """{ projects(first: 100) { totalCount nodes {
    title viewerRole budget { spent } progress { wordCount } usage { total { calls } } members { user { name } role }
    referenceFiles(first: 100) { totalCount nodes { content project { title } } }
    jobs { totalCount nodes { id } }
    quality { stale chapter { title } assessment { score findings { quote } } }
    chapters(first: 100) { totalCount nodes {
        title project { title }
        currentVersion { text author { name } chapter { id } parent { number } job { id } receipt { digest }
            assessment { score job { id } version { number } findings { message assessment { id } conflictsWith { source { id } } } } }
        versions { totalCount nodes { number text } } version(number: 1) { text }
        jobs { totalCount nodes { text lastEventCursor startedBy { name } steps { name } usage { cost } result { __typename }
            events { totalCount nodes { __typename cursor } } chapter { id } project { id } } } } } } } }"""


async def build(api, *, projects, chapters):
    for _ in range(projects):
        project = await api.project(settings={"allowUnpricedModels": True})
        for number in range(chapters):
            await api.reference_file(project, name=f"File {number}")
            chapter = await api.chapter(project, text="one")
            await api.mutate("saveChapterText", "id", chapterId=chapter, text="two")
            told = FindingEvidence(Source(SourceKind.CHAPTER_VERSION, uuid_of(await api.current_version(chapter))), "two")
            await api.assessment(await api.current_version(chapter), an_issue(conflicts_with=told), an_issue())
            await api.job(chapter, model="my-own-model")


async def test_as_many_statements_are_made_for_many_parents_as_for_one(api):
    await build(api, projects=1, chapters=1)
    with statements_sent() as for_one:
        await api.ask(DEEP)
    await build(api, projects=4, chapters=5)
    with statements_sent() as for_many:
        data = await api.ask(DEEP)
    assert sum(len(project["chapters"]["nodes"]) for project in data["projects"]["nodes"]) == 21
    # Whether batches of different levels fall into one tick is chance; a statement for each parent would be dozens more.
    assert len(for_many) - len(for_one) < 10


async def test_lists_are_counted_only_when_their_count_is_asked_for(api):
    await build(api, projects=1, chapters=1)
    with statements_sent() as seen:
        await api.ask("{ projects { nodes { title chapters { nodes { title } } } } }")
    assert not [statement for statement, _ in seen if "count(" in statement.lower()]


async def test_texts_are_read_only_when_they_are_asked_for(api):
    await build(api, projects=1, chapters=1)
    with statements_sent() as seen:
        await api.ask(
            "{ projects { nodes { chapters { nodes { currentVersion { number wordCount } } } referenceFiles { nodes { name } } } } }"
        )
    read = " ".join(statement for statement, _ in seen)
    assert "chapter_version.text" not in read
    assert "reference_file.content" not in read


async def test_plain_fields_cost_nothing_beyond_their_list(api):
    await build(api, projects=2, chapters=1)
    with statements_sent() as seen:
        await api.ask("{ projects { nodes { id title premise genre language createdAt settings { model temperature } } } }")
    assert len(seen) == 1


async def test_several_kinds_asked_for_at_once_are_answered_in_order(api):
    project = await api.project()
    chapter, file = await api.chapter(project, text="one"), await api.reference_file(project)
    job = await api.job(chapter)
    me = (await api.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    found = await api.ask("query($id: ID!) { chapter(id: $id) { currentVersion { id } } }", id=chapter)
    version = found["chapter"]["currentVersion"]["id"]
    wanted = [file, "nonsense", project, version, job, me, project, chapter, "project_" + "0" * 26]
    data = await api.ask("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=wanted)
    assert [node and node["id"] for node in data["nodes"]] == [file, None, project, version, job, me, project, chapter, None]
    kinds = ["ReferenceFile", None, "Project", "ChapterVersion", "Job", "User", "Project", "Chapter", None]
    assert [node and node["__typename"] for node in data["nodes"]] == kinds


async def test_the_same_thing_asked_for_twice_is_read_once(api):
    project = await api.project()
    with statements_sent() as seen:
        await api.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[project] * 100)
    assert len(seen) == 1


async def test_at_most_a_hundred_nodes_are_asked_for_at_once(api):
    from schema.edge.errors import RequestError

    assert isinstance(await api.error("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["x"] * 101), RequestError)


@pytest.mark.parametrize("field", ["project", "chapter", "job"])
async def test_a_field_of_one_kind_does_not_answer_another(api, field):
    file = await api.reference_file(await api.project())
    assert await api.ask(f"query($id: ID!) {{ {field}(id: $id) {{ id }} }}", id=file) == {field: None}


async def test_each_mutation_of_an_operation_reads_what_is_true_by_then(api):
    project = await api.project()
    document = """mutation($project: ID!) {
        one: createChapter(input: {projectId: $project, title: "A"}) { chapter { project { chapters { nodes { title } } } } }
        two: createChapter(input: {projectId: $project, title: "B"}) { chapter { project { chapters { nodes { title } } } } } }"""
    data = await api.ask(document, project=project)
    listed = {name: [node["title"] for node in data[name]["chapter"]["project"]["chapters"]["nodes"]] for name in data}
    assert listed == {"one": ["A"], "two": ["A", "B"]}


async def test_a_refused_mutation_leaves_its_siblings_alone(api):
    document = """mutation { one: createProject(input: {title: "", genre: OTHER}) { project { title } errors { code } }
        two: createProject(input: {title: "B", genre: OTHER}) { project { title } errors { code } } }"""
    assert await api.ask(document) == {
        "one": {"project": None, "errors": [{"code": "INVALID"}]},
        "two": {"project": {"title": "B"}, "errors": []},
    }
