"""Vectors from a real server's background to its prompts: bought once, paid for by their owner, and never waited for."""

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal
from types import MappingProxyType

import psycopg
import pytest

from commands.demo import documents
from domain.jobs.embedding import Pauses
from domain.llm.failures import ModelUnavailable
from tests.fakes.model_server import ScriptedModelServer, embeds, fails, reply, stalls_before_headers
from tests.server import story
from tests.server.running import running

MODEL = "text-embedding-3-small"
PLATES = "She set two plates on the table, as on every evening, and put one of them back into the cupboard without a word. " * 4
LEDGER = "The clerk wrote the tonnage of the day into a book and blotted it, and crates were carried along the quay. " * 4
FROST = "\n\n".join(f"Day {number} of the frost. {LEDGER}" for number in range(40))
BRIEF = "Somebody mourns a brother."
CLOSE = "close in meaning to the brief (passage 1 of chapter 1)"
SAVE = """
mutation Save($input: SaveChapterTextInput!) { saveChapterText(input: $input) { chapter { id } errors { message } } }
"""
UPDATE_CHAPTER = """
mutation Update($input: UpdateChapterInput!) { updateChapter(input: $input) { chapter { id } errors { message } } }
"""
UPDATE_PROJECT = """
mutation Update($input: UpdateProjectInput!) { updateProject(input: $input) { project { id } errors { message } } }
"""
USAGE = """
query Usage($id: ID!) { project(id: $id) { usage { total { calls promptTokens cost unpricedCalls uncertainCalls } } } }
"""


def by_grief(text):
    return (1.0, 0.1) if "brother" in text or "two plates" in text else (0.0, 1.0)


@pytest.fixture
async def model():
    async with ScriptedModelServer(default=reply("He was gone.")) as server:
        server.default_embedding = embeds(by_grief)
        yield server


@pytest.fixture
def serve(database_url, model):
    """A server whose background work is done when a test asks for it."""

    @asynccontextmanager
    async def serve(**changes):
        settings = {"embedding_model": MODEL, "embedding_base_url": model.url, "embedding_pauses": Pauses(first=3600), **changes}
        async with running(database_url, model_url=model.url, **settings) as app:
            yield app

    return serve


@pytest.fixture
def rows(owner_url):
    def rows(query):
        with psycopg.connect(owner_url) as connection:
            return connection.execute(query).fetchall()

    return rows


async def a_book(client, settings=MappingProxyType({}), **project):
    """The project's id and that of a third chapter, whose brief is about the first one without sharing a word with it."""
    made = await client.change(documents.CREATE_PROJECT, title="Ash", genre="LITERARY", settings={"maxRevisions": 0, **settings}, **project)
    project_id, chapters = made["project"]["id"], []
    for title, brief, text in (("One", "", f"{PLATES}\n\n{LEDGER}"), ("Two", "", FROST), ("Three", BRIEF, None)):
        chapter = await client.change(documents.CREATE_CHAPTER, projectId=project_id, title=title, brief=brief)
        chapters.append(chapter["chapter"]["id"])
        if text is not None:
            await client.change(SAVE, chapterId=chapters[-1], text=text)
    return project_id, chapters


async def preview(client, chapter, **wish):
    return (await client.ask(documents.PREVIEW, input={"chapterId": chapter, **wish}))["promptPreview"]["receipt"]


def evidence(receipt):
    return [line for item in receipt["items"] for line in item["evidence"]]


async def usage(client, project):
    return (await client.ask(USAGE, id=project))["project"]["usage"]["total"]


def noticed(arrived, behaviour):
    def behave(call):
        arrived.set()
        return behaviour(call)

    return behave


async def embed_all(app):
    """Rounds until nothing is left to do."""
    rounds = 0
    while await app.scriptorium._embedding().round():
        rounds += 1
        assert rounds < 20
    return rounds


async def test_what_is_saved_is_embedded_once_and_then_found_by_its_meaning(serve, model, rows):
    async with serve() as app, app.client() as ada:
        project, (_, _, chapter) = await a_book(ada)
        before = await preview(ada, chapter)
        assert CLOSE not in evidence(before)
        assert await embed_all(app) == 1
        texts = [text for call in model.embedding_calls for text in call.texts]
        assert len(texts) == len(set(texts)) == 43
        assert f"Three\n\n{BRIEF}" in texts
        after = await preview(ada, chapter)
        assert CLOSE in evidence(after)
        assert after["digest"] != before["digest"]
        spent = await usage(ada, project)
        billed = sum(call.prompt_tokens for call in model.embedding_calls)
        assert (spent["calls"], spent["promptTokens"]) == (len(model.embedding_calls), billed)
        assert (spent["unpricedCalls"], spent["uncertainCalls"]) == (0, 0)
        assert Decimal(spent["cost"]) > 0
        assert model.calls == []
    assert rows("SELECT count(*), count(DISTINCT sha256) FROM passage_vector") == [(43, 43)]


async def test_neither_a_restart_nor_a_second_worker_buys_anything_again(serve, model):
    async with serve() as first, serve() as second, first.client() as ada:
        _, (one, _, _) = await a_book(ada)
        async with asyncio.TaskGroup() as group:
            for app in (first, second):
                group.create_task(embed_all(app))
        texts = [text for call in model.embedding_calls for text in call.texts]
        assert len(texts) == len(set(texts)) == 43
        await ada.change(SAVE, chapterId=one, text=f"{PLATES}\n\n{LEDGER}\n\nThe end. {LEDGER}")
    async with serve() as restarted:
        await embed_all(restarted)
    more = [text for call in model.embedding_calls for text in call.texts][43:]
    assert [text[:8] for text in more] == ["The end."]


async def test_a_job_sends_what_the_preview_showed(serve, model):
    async with serve() as app, app.client() as ada:
        _, (_, _, chapter) = await a_book(ada)
        await embed_all(app)
        shown = await preview(ada, chapter)
        assert CLOSE in evidence(shown)
        await story.watch(ada, await story.start(ada, chapter))
        receipt = (await ada.ask(documents.CHAPTER, id=chapter))["chapter"]["currentVersion"]["receipt"]
        assert (receipt["digest"], CLOSE in evidence(receipt)) == (shown["digest"], True)
        assert len(model.calls) == 1


async def test_two_processes_show_the_same_whatever_they_remember(serve):
    async with serve() as warm, serve(prompt_memory_mb=0) as cold, warm.client() as ada, cold.client() as same:
        _, (_, _, chapter) = await a_book(ada)
        await preview(ada, chapter)
        await embed_all(warm)
        assert await preview(ada, chapter) == await preview(same, chapter)


async def test_a_brief_that_is_tried_out_is_not_embedded_and_calls_nobody(serve, model):
    async with serve() as app, app.client() as ada:
        _, (_, _, chapter) = await a_book(ada)
        await embed_all(app)
        calls = len(model.embedding_calls)
        assert not any("close in meaning" in line for line in evidence(await preview(ada, chapter, brief="Another one mourns.")))
        assert await embed_all(app) == 0
        await ada.change(UPDATE_CHAPTER, id=chapter, brief="Another brother is mourned.")
        assert not any("close in meaning" in line for line in evidence(await preview(ada, chapter)))
        await embed_all(app)
        assert CLOSE in evidence(await preview(ada, chapter))
        assert [call.texts for call in model.embedding_calls[calls:]] == [["Three\n\nAnother brother is mourned."]]


async def test_without_the_setting_prompts_are_the_same_to_the_byte_and_nothing_is_embedded(serve, model):
    async with serve(embedding_model=None) as app, app.client() as ada:
        _, (_, _, chapter) = await a_book(ada)
        without = await preview(ada, chapter)
        assert app.scriptorium._embedding() is None
    async with serve() as app, app.client() as ada:
        assert await preview(ada, chapter) == without
        await embed_all(app)
        assert await preview(ada, chapter) != without
    async with serve(embedding_model=None) as app, app.client() as ada:
        assert await preview(ada, chapter) == without
    assert model.calls == []


async def test_a_budget_that_is_spent_stops_it_until_it_is_raised(serve, model, rows):
    async with serve() as app, app.client() as ada:
        project, (_, _, chapter) = await a_book(ada, budgetLimit="0.000000")
        await embed_all(app)
        assert (model.embedding_calls, (await usage(ada, project))["calls"]) == ([], 0)
        assert CLOSE not in evidence(await preview(ada, chapter))
        await ada.change(UPDATE_PROJECT, id=project, budgetLimit="1.000000")
        rows_held = rows("SELECT held_until > now() + interval '5 minutes' FROM embedding_turn")
        assert rows_held == [(True,)]


async def test_a_month_that_is_spent_stops_it(serve, model):
    async with serve(monthly_limit=Decimal(0)) as app, app.client() as ada:
        await a_book(ada)
        await embed_all(app)
    assert model.embedding_calls == []


async def test_a_model_without_a_price_is_used_for_those_who_have_consented(serve, model):
    async with serve(embedding_model="nomic-embed-text") as app, app.client() as ada:
        await a_book(ada)
        await embed_all(app)
        assert model.embedding_calls == []
        project, (_, _, chapter) = await a_book(ada, settings={"allowUnpricedModels": True})
        await embed_all(app)
        spent = await usage(ada, project)
        assert (spent["calls"], spent["unpricedCalls"]) == (len(model.embedding_calls),) * 2
        assert CLOSE in evidence(await preview(ada, chapter))


async def test_an_endpoint_that_is_down_changes_nothing_and_is_asked_again(serve, model):
    async with serve() as app, app.client() as ada:
        project, (_, _, chapter) = await a_book(ada)
        before = await preview(ada, chapter)
        model.script_embeddings(fails(503))
        with pytest.raises(ModelUnavailable):
            await embed_all(app)
        spent = await usage(ada, project)
        assert (spent["calls"], Decimal(spent["cost"]), spent["uncertainCalls"]) == (0, 0, 0)
        assert await preview(ada, chapter) == before
        await story.watch(ada, await story.start(ada, chapter))
        await embed_all(app)
        assert CLOSE in evidence(await preview(ada, chapter))


async def test_a_call_whose_process_died_stays_on_record_as_uncertain(serve, model):
    async with serve() as app, app.client() as ada:
        project, _ = await a_book(ada)
        arrived = asyncio.Event()
        model.script_embeddings(noticed(arrived, stalls_before_headers()))
        dying = asyncio.create_task(app.scriptorium._embedding().round())
        await asyncio.wait_for(arrived.wait(), 10)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
        spent = await usage(ada, project)
        assert (spent["calls"], spent["uncertainCalls"]) == (1, 1)
        await embed_all(app)
        assert (await usage(ada, project))["uncertainCalls"] == 1


async def test_strangers_neither_see_nor_pay(serve):
    async with serve() as app, app.client("ada") as ada, app.client("eve") as eve:
        project, (_, _, chapter) = await a_book(ada)
        own, (_, _, own_chapter) = await a_book(eve, budgetLimit="0.000000")
        await embed_all(app)
        assert (await eve.ask(USAGE, id=project))["project"] is None
        assert (await usage(eve, own))["calls"] == 0
        assert CLOSE in evidence(await preview(ada, chapter))
        assert CLOSE not in evidence(await preview(eve, own_chapter))


async def test_it_is_done_in_the_background_of_a_process_that_works_on_jobs(serve, model):
    arrived = asyncio.Event()
    model.default_embedding = noticed(arrived, embeds(by_grief))
    async with serve(workers_in_process=0, embedding_pauses=Pauses(first=0, usual=0.01)), serve() as app, app.client() as ada:
        await a_book(ada)
        assert not arrived.is_set()
        async with serve(embedding_pauses=Pauses(first=0, usual=0.01)):
            await asyncio.wait_for(arrived.wait(), 10)
