"""The built-in stand-in for a language model: free, offline, labelled, and the same for the same prompt."""

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from domain.llm.model import Completed, CompletionRequest, FinishReason, Message, Role, TextDelta, TokenUsage
from domain.llm.rehearsal_answers import RehearsedAnswer
from domain.llm.rehearsal_material import gather
from domain.llm.rehearsal_prose import compose, resume
from domain.ports import Tokens

# A word with the white space before it; what is written without spaces comes in small pieces.
_PIECE = re.compile(r"\s*\S{1,16}|\s+$")
_PIECES_WITHOUT_PAUSE = 50


class RehearsalModel:
    """`words_per_second` is the pace at which text arrives; None is as fast as possible. `sleep` takes seconds.

    Nobody watches an answer of a certain form arrive, so those come at once.
    """

    rehearsal = True

    def __init__(
        self, *, words_per_second: float | None = 60.0, tokens: Tokens, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._words_per_second = words_per_second
        self._tokens = tokens
        self._sleep = sleep

    async def prepare(self) -> None:
        """There is nothing to get ready."""

    @asynccontextmanager
    async def stream(self, request: CompletionRequest) -> AsyncIterator[AsyncIterator[TextDelta | Completed]]:
        async with aclosing(self._items(request)) as items:
            yield items

    async def aclose(self) -> None:
        """There is nothing to let go of."""

    async def _items(self, request: CompletionRequest) -> AsyncGenerator[TextDelta | Completed, None]:
        request.last_look()
        text, finish = await asyncio.to_thread(self._write, request)
        for number, piece in enumerate(_PIECE.findall(text)):
            await self._pause(number, paced=request.response_schema is None)
            yield TextDelta(piece)
        yield Completed(finish=finish, usage=await asyncio.to_thread(self._usage, request, text), request_id=None)

    def _write(self, request: CompletionRequest) -> tuple[str, FinishReason]:
        """The answer, and whether the request's limit of tokens cut it short."""
        whole = _prose(request.messages) if request.response_schema is None else _json(request.messages, request.response_schema)
        text = self._tokens.take(whole, model=request.model, tokens=request.max_tokens)
        return text, FinishReason.STOP if text == whole else FinishReason.LENGTH

    def _usage(self, request: CompletionRequest, text: str) -> TokenUsage:
        return TokenUsage(
            prompt_tokens=self._tokens.count_messages(request.messages, model=request.model),
            cached_prompt_tokens=0,
            completion_tokens=self._tokens.count(text, model=request.model),
            estimated=False,
        )

    async def _pause(self, number: int, *, paced: bool) -> None:
        if paced and self._words_per_second is not None and number > 0:
            await self._sleep(1 / self._words_per_second)
        elif number % _PIECES_WITHOUT_PAUSE == _PIECES_WITHOUT_PAUSE - 1:
            await asyncio.sleep(0)  # others want to run as well


def _prose(messages: Sequence[Message]) -> str:
    prompt, begun = _split(messages)
    material, seed = gather(prompt), _seed(prompt)
    return resume(material, seed=seed, behind=begun) if begun else compose(material, seed=seed)


def _json(messages: Sequence[Message], schema: Mapping[str, Any]) -> str:
    return RehearsedAnswer(messages, _seed(messages)).write(schema)


def _split(messages: Sequence[Message]) -> tuple[Sequence[Message], str]:
    """The prompt proper, and the text that a request for its continuation shows as the assistant's."""
    for position in range(max(0, len(messages) - 2), len(messages)):
        if messages[position].role is Role.ASSISTANT:
            return messages[:position], messages[position].text
    return messages, ""


def _seed(messages: Sequence[Message]) -> bytes:
    digest = hashlib.sha256()
    for message in messages:
        digest.update(f"{message.role.value}\0{message.text}\0".encode(errors="replace"))
    return digest.digest()
