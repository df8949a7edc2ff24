"""Vectors for texts: what is asked for, what an answer must look like, and what each failure is taken for."""

import json
from uuid import UUID

import pytest

from domain.llm import failures as f
from domain.llm.embeddings import Embedded, read_embeddings
from domain.llm.openai_model import OpenAIEmbeddings
from tests.fakes import model_server as s

CALL = UUID(int=7)


@pytest.fixture
async def embeddings(server):
    model = OpenAIEmbeddings("text-embedding-3-small", api_key="secret-key", base_url=server.url, answer_timeout=0.5)
    yield model
    await model.aclose()


def answer(*rows, **more):
    return json.dumps({"data": [{"index": index, "embedding": vector} for index, vector in rows], **more}).encode()


async def test_each_text_gets_its_vector_and_the_provider_says_what_it_counted(embeddings, server):
    server.default_embedding = s.embeds(lambda text: [len(text), 1.0])
    assert await embeddings.embed(["sea", "lighthouse"], call_id=CALL) == Embedded(vectors=((3.0, 1.0), (10.0, 1.0)), tokens=2)
    (call,) = server.embedding_calls
    assert call.body == {"model": "text-embedding-3-small", "input": ["sea", "lighthouse"], "encoding_format": "float"}
    assert (call.headers["authorization"], call.headers["x-client-request-id"]) == ("Bearer secret-key", str(CALL))
    assert server.calls == []


async def test_a_provider_may_say_nothing_of_tokens(embeddings, server):
    server.default_embedding = s.embeds(usage=False)
    assert (await embeddings.embed(["sea"], call_id=CALL)).tokens is None


async def test_half_a_character_does_not_keep_a_text_from_being_sent(embeddings, server):
    await embeddings.embed(["sea \ud83d"], call_id=CALL)
    assert server.embedding_calls[0].texts == ["sea ?"]


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (s.fails(429, retry_after=2), f.ModelRateLimited),
        (s.fails(429, code="insufficient_quota"), f.ModelQuotaExhausted),
        (s.fails(500), f.ModelUnavailable),
        (s.fails(401), f.ModelCredentialsRefused),
        (s.fails(404, code="model_not_found"), f.ModelUnknown),
        (s.fails(400, code="context_length_exceeded"), f.ModelContextExceeded),
        (s.resets_before_headers(), f.ModelUnavailable),
        (s.stalls_before_headers(), f.ModelStalled),
        (s.wrong_content_type(), f.ModelMalformed),
    ],
)
async def test_a_failure_is_told_apart_by_what_can_be_done_and_nothing_is_asked_twice(embeddings, server, behaviour, kind):
    server.default_embedding = behaviour
    with pytest.raises(f.ModelFailure) as caught:
        await embeddings.embed(["the prompt's secret"], call_id=CALL)
    assert type(caught.value) is kind
    assert "secret" not in str(caught.value)
    assert len(server.embedding_calls) == 1


async def test_nobody_at_the_address_is_unavailable(server):
    model = OpenAIEmbeddings("m", api_key=None, base_url="http://127.0.0.1:9/v1")
    with pytest.raises(f.ModelUnavailable):
        await model.embed(["sea"], call_id=CALL)
    await model.aclose()


def test_vectors_are_taken_by_their_index():
    assert read_embeddings(answer((1, [2]), (0, [1.5])), texts=2).vectors == ((1.5,), (2.0,))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"data": null}',
        b'{"data": [1]}',
        b'{"data": [{"index": 0}]}',
        answer(),
        answer((0, [1.0])),
        answer((0, [1.0]), (0, [1.0])),
        answer((0, [1.0]), (2, [1.0])),
        answer((0, [1.0]), (1, [1.0, 2.0])),
        answer((0, []), (1, [])),
        answer((0, [1.0]), (1, "AACAPw==")),
        answer((0, [1.0]), (1, [None])),
        answer((0, [1.0]), (1, [True])),
        answer((0, [1.0]), ("1", [1.0])),
        b'{"data": [{"index": 0, "embedding": [NaN]}, {"index": 1, "embedding": [1]}]}',
        b'{"data": [{"index": 0, "embedding": [1e999]}, {"index": 1, "embedding": [1]}]}',
    ],
)
def test_what_is_not_one_vector_for_each_of_two_texts_is_refused(body):
    with pytest.raises(f.ModelMalformed):
        read_embeddings(body, texts=2)


@pytest.mark.parametrize("usage", [None, [], {}, {"prompt_tokens": "9"}, {"prompt_tokens": True}, {"prompt_tokens": -1}])
def test_what_says_nothing_of_tokens_says_nothing(usage):
    assert read_embeddings(answer((0, [1.0]), usage=usage), texts=1).tokens is None
