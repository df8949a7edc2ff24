"""The served schema, executed by graphql-core object by object, is the reference for what our executor answers."""

import gc
from collections import Counter
from dataclasses import replace

import pytest
from graphql import OperationType

from tests.api import GENEROUS, Api, api
from tests.factories import an_issue
from tests.schema.execution.executing import core, told
from tests.security.hostile_operations import HostileOperations
from tests.server.shelf import Shelf

__all__ = ["api"]

QUERIES = 60
DRAWN_BY = range(3)


async def shelf_of(user: Api) -> Shelf:
    project = await user.project()
    chapter, drafted = await user.chapter(project), await user.chapter(project, title="High water")
    await user.mutate("saveChapterText", "id", chapterId=chapter, text="The tide went out, and the causeway lay bare.")
    version = await user.current_version(chapter)
    assessment = await user.assessment(version, an_issue(quote="The tide went out", start=0, end=17))
    await user.draft(drafted)
    (finding,) = await user.findings(assessment)
    return Shelf(
        {
            "User": (await user.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"],
            "Project": project,
            "Chapter": chapter,
            "ChapterVersion": version,
            "Assessment": assessment,
            "Finding": finding,
            "ReferenceFile": await user.reference_file(project),
            "Job": await user.job(chapter),
        }
    )


# Of siblings of a field that has failed, graphql-core leaves coroutines behind.
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("seed", DRAWN_BY)
async def test_data_and_errors_are_those_of_graphql_core(api: Api, seed: int):
    ada = replace(api, limits=replace(GENEROUS, validation_errors=50))
    shelves = [await shelf_of(ada), await shelf_of(await api.newcomer())]
    operations, answers = HostileOperations(seed, shelves), Counter[str]()
    while answers.total() < QUERIES:
        drawn = operations.draw()
        if drawn.kind is not OperationType.QUERY:
            continue
        expected = await core(ada.schema, drawn.document, drawn.variables, context=ada.context())
        found = await ada.execute(drawn.document, **drawn.variables)
        assert found.data == expected.data, drawn
        assert told(expected) <= told(found), drawn
        answers["failed" if expected.data is None else "partly" if expected.errors else "whole"] += 1
    del expected, found
    gc.collect()
    assert min(answers["failed"], answers["whole"]) > QUERIES / 10, answers
