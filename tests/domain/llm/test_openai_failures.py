"""Every way a call can fail, brought about for real: the kind of failure, one attempt, and nothing told that should not be."""

import asyncio
import logging

import pytest

from domain.llm import failures as f
from domain.llm.model import TextDelta
from tests.fakes import model_server as s

QUICK = {"first_token_timeout": 0.3, "chunk_timeout": 0.15}
SECRET = "the prompt's secret"
DATES = {"date": "Sun, 22 Nov 2026 10:00:00 GMT"}

REFUSED = [
    (s.fails(429), f.ModelRateLimited),
    (s.fails(429, retry_after=2), f.ModelRateLimited),
    (s.fails(429, code="insufficient_quota"), f.ModelQuotaExhausted),
    (s.fails(402), f.ModelQuotaExhausted),
    (s.fails(500), f.ModelUnavailable),
    (s.fails(502, body=b"<html>Bad gateway</html>"), f.ModelUnavailable),
    (s.fails(503), f.ModelUnavailable),
    (s.fails(529), f.ModelUnavailable),
    (s.fails(408), f.ModelUnavailable),
    (s.fails(401), f.ModelCredentialsRefused),
    (s.fails(403), f.ModelCredentialsRefused),
    (s.fails(400), f.ModelRejectedRequest),
    (s.fails(422), f.ModelRejectedRequest),
    (s.fails(404, body=b"404 page not found"), f.ModelRejectedRequest),
    (s.fails(404, code="model_not_found"), f.ModelUnknown),
    (s.fails(404, message='model "lama" not found, try pulling it first'), f.ModelUnknown),
    (s.fails(400, code="context_length_exceeded"), f.ModelContextExceeded),
    (s.fails(400, message="the request exceeds the available context size"), f.ModelContextExceeded),
    (s.fails(413), f.ModelContextExceeded),
    (s.fails(400, code="content_policy_violation"), f.ModelRefusedContent),
    (s.fails(418, body=b'"a teapot"'), f.ModelRejectedRequest),
]
NEVER_ANSWERED = [
    (s.resets_before_headers(), f.ModelUnavailable),
    (s.closes_before_headers(), f.ModelUnavailable),
    (s.stalls_before_headers(), f.ModelStalled),
]
BROKEN = [
    (s.resets("Once upon"), f.ModelInterrupted),
    (s.truncates("Once upon"), f.ModelInterrupted),
    (s.ends_early("Once upon"), f.ModelInterrupted),
    (s.reply("Once", finish="error"), f.ModelInterrupted),
    (s.empty_body(), f.ModelInterrupted),
    (s.stalls(), f.ModelStalled),
    (s.stalls("Once upon"), f.ModelStalled),
    (s.stalls("Once upon", comments=0.02), f.ModelStalled),
    (s.sends_invalid_json(), f.ModelMalformed),
    (s.sends_invalid_utf8(), f.ModelMalformed),
    (s.sends_wrong_schema(), f.ModelMalformed),
    (s.sends_raw(b"data: [1]\n\n"), f.ModelMalformed),
    (s.sends_raw(b'data: {"choices":[7]}\n\n'), f.ModelMalformed),
    (s.sends_raw(b"data: " + b"x" * 5_000_000), f.ModelMalformed),
    (s.reply("many words " * 400_000, chunk=400_000), f.ModelMalformed),
    (s.wrong_content_type(), f.ModelMalformed),
    (s.wrong_content_type("application/json", b"{}"), f.ModelMalformed),
    (lambda _: s.Script([s.Text(b"not gzip")], headers={"content-encoding": "gzip"}), f.ModelMalformed),
    (s.sends_error_event("Once"), f.ModelUnavailable),
    (s.sends_error_event(code=429), f.ModelRateLimited),
    (s.sends_error_event(code="context_length_exceeded", message="invalid_request"), f.ModelContextExceeded),
    (s.refuses(), f.ModelRefusedContent),
    (s.filters(), f.ModelRefusedContent),
    (s.reply(""), f.ModelEmpty),
    (s.reply("", finish="length"), f.ModelLengthExhausted),
]


@pytest.mark.parametrize(("behaviour", "kind"), REFUSED + NEVER_ANSWERED)
async def test_a_call_that_was_never_begun_fails_by_its_kind_after_one_attempt(server, connect, ask, complete, behaviour, kind):
    server.script(behaviour)
    with pytest.raises(f.ModelFailure) as caught:
        await complete(connect(**(QUICK if kind is f.ModelStalled else {})), ask(SECRET))
    assert type(caught.value) is kind
    assert caught.value.usage is None
    assert len(server.calls) == 1
    _assert_discreet(caught.value)


@pytest.mark.parametrize(("behaviour", "kind"), BROKEN)
async def test_a_call_that_breaks_fails_by_its_kind_and_says_what_it_probably_cost(server, connect, ask, complete, behaviour, kind):
    server.script(behaviour)
    with pytest.raises(f.ModelFailure) as caught:
        await complete(connect(**(QUICK if kind is f.ModelStalled else {})), ask(SECRET))
    assert type(caught.value) is kind
    assert caught.value.usage is not None
    assert caught.value.usage.prompt_tokens > 0
    assert len(server.calls) == 1
    _assert_discreet(caught.value)


async def test_text_that_came_before_a_break_was_handed_on_and_is_counted(server, connect, ask, tokens):
    server.script(s.resets("Once upon a time"))
    async with connect().stream(ask()) as items:
        assert await anext(items) == TextDelta("Once upon a time")
        with pytest.raises(f.ModelInterrupted) as caught:
            await anext(items)
    assert caught.value.usage.completion_tokens == tokens.count("Once upon a time", model="gpt-4o")
    assert caught.value.usage.estimated


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "50", "retry-after": "9"}, 0.05),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT", **DATES}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 09:00:00 GMT", **DATES}, 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_the_wait_the_provider_asks_for_is_told_in_seconds(server, connect, ask, complete, status, headers, seconds):
    server.script(s.fails(status, headers=headers))
    with pytest.raises(f.ModelFailure) as caught:
        await complete(connect(), ask())
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://no-such-host.invalid/v1", "no address at all"])
async def test_an_address_that_cannot_be_reached_is_unavailable(connect, ask, complete, url):
    with pytest.raises(f.ModelUnavailable):
        await complete(connect(base_url=url, connect_timeout=3.0), ask())


async def test_a_failing_tls_handshake_is_unavailable(connect, ask, complete):
    async def answer_in_the_clear(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer_in_the_clear, "127.0.0.1", 0) as plain:
        port = plain.sockets[0].getsockname()[1]
        with pytest.raises(f.ModelUnavailable):
            await complete(connect(base_url=f"https://127.0.0.1:{port}/v1"), ask())


async def test_a_key_that_no_header_can_carry_is_a_matter_of_settings(connect, ask, complete):
    with pytest.raises(f.ModelMisconfigured, match="OPENAI_API_KEY"):
        await complete(connect(api_key="kéy…"), ask())


async def test_the_model_can_be_called_again_after_a_failure(server, connect, ask, complete):
    model = connect()
    for behaviour, kind in NEVER_ANSWERED + BROKEN:
        if kind is f.ModelStalled:
            continue
        server.script(behaviour, s.reply("Well again."))
        with pytest.raises(f.ModelFailure):
            await complete(model, ask())
        text, _ = await complete(model, ask())
        assert text == "Well again."


async def test_neither_keys_nor_prompts_nor_texts_are_logged(server, connect, ask, complete, caplog):
    caplog.set_level(logging.INFO)
    server.script(s.fails(400, message=f"Rejected: {SECRET}"), s.sends_invalid_json("generated words"), s.reply("generated words"))
    model = connect()
    for _ in range(2):
        with pytest.raises(f.ModelFailure):
            await complete(model, ask(SECRET))
    await complete(model, ask(SECRET))
    assert SECRET not in caplog.text
    assert "secret-key" not in caplog.text
    assert "generated words" not in caplog.text


def _assert_discreet(failure: f.ModelFailure) -> None:
    told = f"{failure} {failure.__cause__} {'' if failure.__suppress_context__ else failure.__context__}"
    assert SECRET not in told
    assert "secret-key" not in told
    assert "Once" not in told
    assert str(failure).endswith(".")
    assert failure.code.startswith("MODEL_")
