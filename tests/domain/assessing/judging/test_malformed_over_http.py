"""The same two thousand answers, streamed by a server: what arrives is read, or is a typed failure, and nothing else is raised."""

import asyncio
import random
from dataclasses import replace
from itertools import islice

from domain.assessing.judging.answer import Broken, Judgement, read_answer
from domain.llm.failures import ModelFailure
from domain.llm.model import TextDelta
from domain.llm.openai_model import OpenAIModel
from tests.api import token_counter
from tests.domain.assessing.judging.chapters import CHAPTER, plan_of
from tests.domain.assessing.judging.test_malformed_answers import CALL, KINDS
from tests.fakes.model_server import ScriptedModelServer, reply

AT_ONCE = 16
CHUNK = 2_000


async def heard(model: OpenAIModel) -> str:
    request = replace(CALL.request, model="gpt-4.1-mini")
    async with model.stream(request) as items:
        return "".join([item.text async for item in items if isinstance(item, TextDelta)])


async def outcome(model: OpenAIModel, turn: asyncio.Semaphore) -> Judgement | Broken | ModelFailure:
    async with turn:
        try:
            text = await heard(model)
        except ModelFailure as failure:
            return failure
        return read_answer(CALL, text, plan_of())


async def test_every_answer_that_a_server_streams_is_read_or_a_typed_failure():
    answers = [text for make, times in KINDS.items() for text in islice(make(random.Random(make.__name__)), times)]
    assert len(answers) >= 2_000
    async with ScriptedModelServer(*(reply(text, chunk=CHUNK) for text in answers)) as server:
        model = OpenAIModel(api_key="sk-test", base_url=server.url, tokens=token_counter())
        turn = asyncio.Semaphore(AT_ONCE)
        try:
            outcomes = await asyncio.gather(*(outcome(model, turn) for _ in answers))
        finally:
            await model.aclose()
        assert len(server.calls) == len(answers)
        assert all(call.body["response_format"]["type"] == "json_schema" for call in server.calls)
    judgements = [each for each in outcomes if isinstance(each, Judgement)]
    assert len(judgements) > 500
    assert sum(isinstance(each, Broken | ModelFailure) for each in outcomes) > 500
    for issue in (issue for judgement in judgements for issue in judgement.findings):
        assert issue.quote
        assert CHAPTER[issue.start : issue.end] == issue.quote
