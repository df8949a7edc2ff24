"""The adapter through the real client against a real server: answers, deadlines, hanging up, parameters."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from domain.llm.failures import ModelRejectedRequest, ModelStalled
from domain.llm.model import FinishReason, Message, Role, TextDelta, TokenUsage
from tests.fakes.model_server import fails, hold, refuses_parameter, reply, sends_raw, stalls, stalls_before_headers


async def test_text_usage_and_request_id_come_as_the_provider_sent_them(server, connect, ask, complete):
    server.script(reply("It was late. Spät, 夜, 🌊.", chunk=3))
    text, completed = await complete(connect(), ask("Two words"))
    assert text == "It was late. Spät, 夜, 🌊."
    assert completed.finish is FinishReason.STOP
    assert completed.usage == TokenUsage(prompt_tokens=2, cached_prompt_tokens=0, completion_tokens=6, estimated=False)
    assert completed.request_id == "req_1"


async def test_the_request_says_what_was_asked_for(server, connect, ask, complete):
    await complete(connect(), ask("Hello", "Once", model="llama3:8b", max_tokens=77))
    [call] = server.calls
    assert call.body == {
        "model": "llama3:8b",
        "messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Once"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.7,
        "max_tokens": 77,
    }
    assert call.headers["authorization"] == "Bearer secret-key"


async def test_the_provider_is_told_the_id_of_the_call(server, connect, ask, complete):
    call_id = uuid4()
    await complete(connect(), replace(ask(), call_id=call_id))
    await complete(connect(), ask())
    assert [call.headers.get("x-client-request-id") for call in server.calls] == [str(call_id), None]


async def test_the_last_look_at_a_call_is_taken_before_it_is_sent(server, connect, ask, complete):
    model, heard = connect(), []
    for _ in range(2):
        await complete(model, replace(ask(), call_id=uuid4(), last_look=lambda: heard.append(len(server.calls))))
    assert heard == [0, 1]


async def test_what_the_last_look_raises_is_told_as_it_is_and_nothing_is_sent(server, connect, ask, complete):
    class OversleptError(Exception):
        pass

    def look() -> None:
        raise OversleptError

    model = connect()
    with pytest.raises(OversleptError):
        await complete(model, replace(ask(), call_id=uuid4(), last_look=look))
    assert server.calls == []
    await complete(model, replace(ask(), call_id=uuid4()))
    assert len(server.calls) == 1


async def test_each_of_many_calls_at_once_has_its_own_last_look(server, connect, ask, complete):
    model, looked = connect(), []
    calls = [replace(ask(), call_id=uuid4(), last_look=lambda number=number: looked.append(number)) for number in range(5)]
    await asyncio.gather(*(complete(model, call) for call in calls))
    assert sorted(looked) == [0, 1, 2, 3, 4]


async def test_the_first_text_is_handed_on_before_the_second_is_written(server, connect, ask):
    go_on = asyncio.Event()
    server.script(hold(go_on, "Once", " more"))
    async with connect().stream(ask()) as items:
        async with asyncio.timeout(5):
            assert await anext(items) == TextDelta("Once")
        go_on.set()
        assert await anext(items) == TextDelta(" more")


async def test_usage_that_is_missing_or_cannot_be_true_is_counted_and_marked(server, connect, ask, complete, tokens):
    request = ask("Write about the sea.")
    expected = tokens.count_messages(request.messages, model=request.model)
    lies = [{"prompt_tokens": -4, "completion_tokens": 1}, {"prompt_tokens": "3", "completion_tokens": 1}, {"completion_tokens": 1}, {}]
    lies.append({"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 9}})
    for usage in [None, *lies]:
        server.script(reply("The sea.", usage=usage))
        _, completed = await complete(connect(), request)
        assert completed.usage == TokenUsage(prompt_tokens=expected, cached_prompt_tokens=0, completion_tokens=3, estimated=True)


async def test_cached_prompt_tokens_are_reported(server, connect, ask, complete):
    usage = {"prompt_tokens": 900, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 768}}
    server.script(reply("The sea.", usage=usage))
    _, completed = await complete(connect(), ask())
    assert completed.usage == TokenUsage(prompt_tokens=900, cached_prompt_tokens=768, completion_tokens=5, estimated=False)


@pytest.mark.parametrize(
    ("behaviour", "text", "finish"),
    [
        (reply("Cut", finish="length"), "Cut", FinishReason.LENGTH),
        (reply("Some", finish="content_filter"), "Some", FinishReason.CONTENT_FILTER),
        (reply("Odd", finish="a_new_reason"), "Odd", FinishReason.STOP),
        (reply("No reason", finish=None), "No reason", FinishReason.STOP),
        (reply("No end", done=False), "No end", FinishReason.STOP),
        (reply("Thought", reasoning="Let me think."), "Thought", FinishReason.STOP),
        (reply("Twice ", chunk=6, copies=2), "Twice Twice ", FinishReason.STOP),
        (reply("Windows", newline="\r\n"), "Windows", FinishReason.STOP),
    ],
)
async def test_what_servers_do_differently_is_understood(server, connect, ask, complete, behaviour, text, finish):
    server.script(behaviour)
    written, completed = await complete(connect(), ask())
    assert (written, completed.finish) == (text, finish)


async def test_unknown_events_comments_and_torn_characters_do_no_harm(server, connect, ask, complete):
    event = 'data: {"choices":[{"delta":{"content":"夜"},"finish_reason":null}]}\r\n\r\n'.encode()
    cut = event.index("夜".encode()) + 1
    ping = b': hello\n\nevent: ping\nid: 7\ndata: {"object": "ping"}\n\n'
    server.script(sends_raw(ping, event[:cut], event[cut:-3], event[-3:], b"data: {\ndata: }\n\ndata:[DO", b"NE]\n\n"))
    text, _ = await complete(connect(), ask())
    assert text == "夜"


async def test_silence_before_the_first_text_may_last_longer_than_between_texts(server, connect, ask, complete):
    go_on = asyncio.Event()
    server.script(hold(go_on, "", "Thought through."), stalls("Once"))
    model = connect(first_token_timeout=30.0, chunk_timeout=0.1)
    asyncio.get_running_loop().call_later(0.3, go_on.set)
    text, _ = await complete(model, ask())
    assert text == "Thought through."
    with pytest.raises(ModelStalled, match=r"0\.1 seconds"):
        await complete(model, ask())


async def test_leaving_the_context_hangs_up(server, connect, ask):
    server.script(hold(asyncio.Event(), "Once", " more"))
    async with connect().stream(ask()) as items:
        await anext(items)
    call = await server.disconnected(1)
    assert call.completion_tokens == 1


async def test_leaving_without_having_read_hangs_up(server, connect, ask):
    server.script(stalls("Once"))
    async with connect().stream(ask()):
        pass
    await server.disconnected(1)


async def test_an_exception_in_the_callers_block_hangs_up_and_stays_what_it_was(server, connect, ask):
    server.script(hold(asyncio.Event(), "Once"))

    async def fail_while_reading() -> None:
        async with connect().stream(ask()) as items:
            await anext(items)
            raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        await fail_while_reading()
    await server.disconnected(1)


@pytest.mark.parametrize("behaviour", [stalls("Once"), stalls_before_headers()])
async def test_cancelling_hangs_up(server, connect, ask, complete, behaviour):
    server.script(behaviour)
    task = asyncio.create_task(complete(connect(), ask()))
    await server.wait_for_calls(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.disconnected(1)


async def test_a_finished_stream_leaves_its_connection_for_the_next(server, connect, ask, complete):
    model = connect()
    for _ in range(3):
        await complete(model, ask())
    assert server.connections_made == 1


async def test_many_streams_run_at_once(server, connect, ask, complete):
    model = connect()
    server.default = reply("word " * 200, chunk=5)
    answers = await asyncio.gather(*(complete(model, ask()) for _ in range(30)))
    assert {text for text, _ in answers} == {"word " * 200}


async def test_a_parameter_the_model_does_not_take_is_left_out_and_that_is_remembered(server, connect, ask, complete):
    model = connect()
    hint = " Use 'max_completion_tokens' instead."
    server.script(refuses_parameter("max_tokens", hint=hint), refuses_parameter("temperature"), refuses_parameter("stream_options"))
    text, completed = await complete(model, ask())
    assert text
    assert completed.usage.estimated
    await complete(model, ask())
    await complete(model, ask(model="another"))
    sent = [set(call.body) - {"model", "messages", "stream"} for call in server.calls]
    assert sent == [
        {"max_tokens", "temperature", "stream_options"},
        {"max_completion_tokens", "temperature", "stream_options"},
        {"max_completion_tokens", "stream_options"},
        {"max_completion_tokens"},
        {"max_completion_tokens"},
        {"max_tokens", "temperature", "stream_options"},
    ]


async def test_a_schema_checking_servers_wording_is_understood(server, connect, ask, complete):
    body = b'{"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}'
    server.script(fails(422, body=body))
    await complete(connect(), ask())
    assert "stream_options" not in server.calls[1].body


SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"], "additionalProperties": False}


def with_schema(request):
    return replace(request, response_schema=SCHEMA, schema_name="judgement")


async def test_a_schema_is_sent_where_there_is_one(server, connect, ask, complete):
    model = connect()
    await complete(model, with_schema(ask()))
    await complete(model, ask())
    asked_for = {"type": "json_schema", "json_schema": {"name": "judgement", "strict": True, "schema": SCHEMA}}
    assert [call.body.get("response_format") for call in server.calls] == [asked_for, None]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (refuses_parameter("response_format"), refuses_parameter("response_format")),
        (
            fails(400, message="Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."),
            fails(400, message="This response_format type is unavailable now"),
        ),
        (
            fails(422, body=b'{"detail": [{"loc": ["body", "response_format", "type"], "msg": "Input should be \'text\'"}]}'),
            fails(400, param="response_format.type", message="'response_format.type' must be 'text'"),
        ),
        (
            fails(400, param="response_format", message="Invalid schema for response_format 'judgement'."),
            fails(400, message="No json_object."),
        ),
    ],
)
async def test_a_server_that_knows_no_schemas_is_asked_for_json_then_for_text_and_remembered(server, connect, ask, complete, first, second):
    model = connect()
    server.script(first, second)
    await complete(model, with_schema(ask()))
    await complete(model, with_schema(ask()))
    await complete(model, with_schema(ask(model="another")))
    formats = [call.body["response_format"]["type"] if "response_format" in call.body else None for call in server.calls]
    assert formats == ["json_schema", "json_object", None, None, "json_schema"]


async def test_a_server_that_takes_json_without_a_schema_is_asked_for_that_from_then_on(server, connect, ask, complete):
    model = connect()
    server.script(refuses_parameter("response_format"))
    for _ in range(2):
        await complete(model, with_schema(ask()))
    assert [call.body["response_format"]["type"] for call in server.calls] == ["json_schema", "json_object", "json_object"]


async def test_a_refusal_of_a_format_that_was_not_asked_for_is_final(server, connect, ask, complete):
    server.script(refuses_parameter("response_format"))
    with pytest.raises(ModelRejectedRequest):
        await complete(connect(), ask())
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        fails(400, param="temperature", message="temperature must be at most 2"),
        fails(400, param="messages", message="Unsupported content. The temperature in the story is too high."),
    ],
)
async def test_a_refusal_for_another_cause_is_not_answered_by_leaving_things_out(server, connect, ask, complete, refusal):
    server.script(refusal)
    with pytest.raises(ModelRejectedRequest):
        await complete(connect(), ask())
    assert len(server.calls) == 1


async def test_a_server_that_takes_neither_name_of_the_limit_is_not_asked_for_ever(server, connect, ask, complete):
    server.default = lambda call: refuses_parameter("max_tokens" if "max_tokens" in call.body else "max_completion_tokens")(call)
    with pytest.raises(ModelRejectedRequest):
        await complete(connect(), ask())
    assert len(server.calls) == 2


async def test_lone_surrogates_are_sent_as_question_marks(server, connect, ask, complete):
    await complete(connect(), ask("a\ud800b"))
    assert server.calls[0].body["messages"][0]["content"] == "a?b"


async def test_a_server_without_keys_needs_none(server, connect, ask, complete):
    text, _ = await complete(connect(api_key=None), ask())
    assert text


async def test_roles_are_sent_by_name(server, connect, ask, complete):
    request = ask()
    system = Message(Role.SYSTEM, "Be brief.")
    await complete(connect(), type(request)(model="m", messages=(system, *request.messages), temperature=0.0, max_tokens=5))
    assert [message["role"] for message in server.calls[0].body["messages"]] == ["system", "user"]
