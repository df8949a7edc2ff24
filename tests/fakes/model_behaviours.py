"""What the scripted model server can be told to do with a call: answer, fail, or misbehave.

A behaviour is any function from the `Call` to a `Script`. First those that end well, then those that do not.
"""

import asyncio
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import chain
from typing import Any

SSE = "text/event-stream; charset=utf-8"


@dataclass
class Call:
    """One request to /chat/completions or /embeddings. Times are the event loop's, in seconds."""

    number: int
    body: dict[str, Any]
    headers: Mapping[str, str]
    arrived_at: float
    completion_tokens: int = 0
    billed: bool = False
    finished: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    disconnected: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    disconnected_at: float | None = None

    @property
    def prompt(self) -> str:
        """All messages, or all texts to be embedded, in one string."""
        return "\n\n".join((*(str(message.get("content", "")) for message in self.body.get("messages", ())), *self.texts))

    @property
    def texts(self) -> list[str]:
        """What is to be embedded."""
        return list(self.body.get("input", ()))

    @property
    def prompt_tokens(self) -> int:
        return len(self.prompt.split())

    @property
    def wants_usage(self) -> bool:
        return bool((self.body.get("stream_options") or {}).get("include_usage"))


class Ending(Enum):
    CLEAN = auto()
    CUT = auto()
    """Closes the connection without the formal end of the body."""
    RESET = auto()
    """Aborts the connection, so that the client sees ECONNRESET."""
    STALL = auto()
    """Says nothing more until the client goes away."""


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class Hold:
    until: asyncio.Event


@dataclass(frozen=True)
class Text:
    """Bytes that carry so many words of the answer, which are billed once they are written."""

    data: bytes
    words: int = 0


@dataclass(frozen=True)
class Script:
    """What is sent: the head at once (unless `head` is False), then each step, then the ending."""

    steps: Iterable[Text | Pause | Hold] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = SSE
    ending: Ending = Ending.CLEAN
    head: bool = True


Behaviour = Callable[[Call], Script]


def reply(
    text: str,
    *,
    chunk: int = 12,
    delay: float = 0.0,
    finish: str | None = "stop",
    usage: Mapping[str, Any] | str | None = "measured",
    reasoning: str = "",
    copies: int = 1,
    newline: str = "\n",
    done: bool = True,
) -> Behaviour:
    """`text` in chunks of `chunk` characters, `delay` seconds apart.

    `usage`: "measured", None to leave it out although it was asked for, or a mapping to lie with. `copies` sends each chunk that often.
    `finish` and `done` can be None and False, as some servers leave them out.
    """
    pieces = [text[at : at + chunk] for at in range(0, len(text), chunk)]

    def behave(call: Call) -> Script:
        return Script(_reply_steps(call, pieces, delay, finish, usage, reasoning, copies, newline.encode(), done))

    return behave


def hold(until: asyncio.Event, before: str, after: str = "", **options: Any) -> Behaviour:
    """Writes `before` in one chunk, waits for the event, and goes on as `reply(after, **options)` would."""

    def behave(call: Call) -> Script:
        rest = reply(after, **options)(call)
        # The rest not before it is due: its usage counts what has been written until then.
        return replace(rest, steps=chain((Text(_delta(content=before), len(before.split())), Hold(until)), rest.steps))

    return behave


def among_strange_events(answer: Behaviour) -> Behaviour:
    """The answer, with events in between that no specification knows."""
    strange = b'event: telemetry\nid: 7\ndata: {"type": "telemetry", "queue": [1, 2], "choices": []}\n\n: nothing\n\n'

    def behave(call: Call) -> Script:
        script = answer(call)
        # As it is sent, for the last of them says how many words there were.
        return replace(script, steps=(among for step in script.steps for among in (Text(strange), step)))

    return behave


def refuses(words: str = "I cannot write that.") -> Behaviour:
    """A refusal in the place OpenAI has for it, without any text."""
    return _events(_delta(refusal=words), _choice({}, finish="stop"), b"data: [DONE]\n\n")


def filters(text: str = "") -> Behaviour:
    """Ends by the content filter, after `text`."""
    return reply(text, finish="content_filter")


def fails(
    status: int,
    *,
    code: str | None = None,
    message: str = "Something is wrong.",
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
    retry_after: float | str | None = None,
    body: bytes | None = None,
) -> Behaviour:
    """An HTTP error as OpenAI words it, or with `body` as it is."""
    content = (
        json.dumps({"error": {"message": message, "type": "scripted", "param": param, "code": code}}).encode() if body is None else body
    )
    all_headers = {**(headers or {}), **({} if retry_after is None else {"retry-after": str(retry_after)})}
    return lambda _: Script([Text(content)], status=status, headers=all_headers, content_type="application/json")


def embeds(vector_of: Callable[[str], Iterable[float]] | None = None, *, usage: bool = True) -> Behaviour:
    """A vector for each text, the same for the same text wherever it is asked for; texts that share words are close to each other."""

    def behave(call: Call) -> Script:
        rows = [
            {"object": "embedding", "index": index, "embedding": list((vector_of or _by_words)(text))}
            for index, text in enumerate(call.texts)
        ]
        answer: dict[str, Any] = {"object": "list", "model": call.body["model"], "data": rows}
        if usage:
            answer["usage"] = {"prompt_tokens": call.prompt_tokens, "total_tokens": call.prompt_tokens}
        return Script([Text(json.dumps(answer).encode())], content_type="application/json")

    return behave


def _by_words(text: str, *, dimensions: int = 32) -> list[float]:
    vector = [0.0] * dimensions
    for word in text.lower().split():
        vector[zlib.crc32(word.strip(".,!?“”\"'").encode()) % dimensions] += 1.0
    return vector


def refuses_parameter(name: str, *, hint: str = "") -> Behaviour:
    """What OpenAI answers to a parameter that the model does not take."""
    message = f"Unsupported parameter: '{name}' is not supported with this model.{hint}"
    return fails(400, code="unsupported_parameter", param=name, message=message)


def resets_before_headers() -> Behaviour:
    return lambda _: Script(head=False, ending=Ending.RESET)


def closes_before_headers() -> Behaviour:
    return lambda _: Script(head=False, ending=Ending.CUT)


def stalls_before_headers() -> Behaviour:
    return lambda _: Script(head=False, ending=Ending.STALL)


def resets(after: str) -> Behaviour:
    """Aborts the connection in mid-stream."""
    return _breaks(after, Ending.RESET)


def truncates(after: str) -> Behaviour:
    """Closes the connection within an event."""
    return _breaks(after, Ending.CUT, b'data: {"choices":[{"delta":{"conte')


def ends_early(after: str) -> Behaviour:
    """Ends the body in good form, but neither with a reason nor with [DONE]."""
    return _breaks(after, Ending.CLEAN)


def stalls(after: str = "", *, comments: float | None = None) -> Behaviour:
    """Falls silent after this text, or, with `comments`, sends nothing but a comment each so many seconds."""
    if comments is None:
        return _breaks(after, Ending.STALL)

    def steps() -> Iterator[Text | Pause]:
        yield from _text_steps([after] if after else [])
        for _ in range(10_000):
            yield Pause(comments)
            yield Text(b": still here\n\n")

    return lambda _: Script(steps(), ending=Ending.STALL)


def sends_invalid_json(after: str = "Once") -> Behaviour:
    return _breaks(after, Ending.CLEAN, b"data: {oh dear\n\n")


def sends_invalid_utf8(after: str = "Once") -> Behaviour:
    return _breaks(after, Ending.CLEAN, b'data: {"choices":[{"index":0,"delta":{"content":"\xff\xfe"}}]}\n\n')


def sends_wrong_schema() -> Behaviour:
    return _events(b'data: {"choices":"none"}\n\n')


def sends_error_event(after: str = "", *, code: str | int | None = None, message: str = "The engine stopped.") -> Behaviour:
    """An error told in the stream, after 200."""
    event = json.dumps({"error": {"message": message, "type": "server_error", "code": code}}).encode()
    return _breaks(after, Ending.CLEAN, b"data: " + event + b"\n\n")


def sends_raw(*pieces: bytes, content_type: str | None = SSE, ending: Ending = Ending.CLEAN) -> Behaviour:
    """Each piece is a packet of its own (a pause lets it go out before the next)."""
    steps = [step for piece in pieces for step in (Text(piece), Pause(0.001))]
    return lambda _: Script(steps, content_type=content_type, ending=ending)


def empty_body() -> Behaviour:
    return lambda _: Script()


def wrong_content_type(content_type: str = "text/html", body: bytes = b"<html>Welcome</html>") -> Behaviour:
    return lambda _: Script([Text(body)], content_type=content_type)


def _reply_steps(
    call: Call,
    pieces: list[str],
    delay: float,
    finish: str | None,
    usage: Mapping[str, Any] | str | None,
    reasoning: str,
    copies: int,
    newline: bytes,
    done: bool,
) -> Iterator[Text | Pause | Hold]:
    def adapt(data: bytes) -> bytes:
        return data.replace(b"\n", newline)

    yield Text(adapt(_delta(role="assistant", content="")))
    if reasoning:
        yield Text(adapt(_delta(reasoning_content=reasoning)))
    for step in _text_steps(pieces, delay):
        yield from [replace(step, data=adapt(step.data))] * copies if isinstance(step, Text) else [step]
    if finish:
        yield Text(adapt(_choice({}, finish=finish)))
    if usage is not None and call.wants_usage:
        reported = usage if isinstance(usage, Mapping) else _measured(call)
        yield Text(adapt(_event({"choices": [], "usage": dict(reported)})))
    if done:
        yield Text(adapt(b"data: [DONE]\n\n"))


def _text_steps(pieces: list[str], delay: float = 0.0) -> Iterator[Text | Pause]:
    """A word counts with the chunk in which it begins."""
    after_space = True
    for piece in pieces:
        if delay:
            yield Pause(delay)
        words = len(piece.split()) - (0 if after_space or piece[:1].isspace() else 1)
        yield Text(_delta(content=piece), max(0, words))
        after_space = piece[-1:].isspace()


def _measured(call: Call) -> dict[str, int]:
    completion = call.completion_tokens
    return {"prompt_tokens": call.prompt_tokens, "completion_tokens": completion, "total_tokens": call.prompt_tokens + completion}


def _breaks(after: str, ending: Ending, *last: bytes) -> Behaviour:
    return lambda _: Script([*_text_steps([after] if after else []), *map(Text, last)], ending=ending)


def _events(*events: bytes) -> Behaviour:
    return lambda _: Script([Text(event) for event in events])


def _delta(**delta: str) -> bytes:
    return _choice(delta)


def _choice(delta: Mapping[str, str], *, finish: str | None = None) -> bytes:
    return _event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _event(content: Mapping[str, Any]) -> bytes:
    frame = {"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": 0, "model": "scripted", **content}
    return b"data: " + json.dumps(frame, ensure_ascii=False).encode() + b"\n\n"
