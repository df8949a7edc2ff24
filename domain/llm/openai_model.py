"""Language and embedding models behind an OpenAI-compatible address: OpenAI itself, Ollama, vLLM, llama.cpp, LiteLLM and others."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, nullcontext, suppress
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx2

from domain.llm.chat_stream import ChatStream
from domain.llm.dialect import Dialect
from domain.llm.embeddings import Embedded, read_embeddings
from domain.llm.event_stream import EventStream, EventTooLarge
from domain.llm.failures import (
    ModelFailure,
    ModelInterrupted,
    ModelMalformed,
    ModelMisconfigured,
    ModelStalled,
    ModelUnavailable,
)
from domain.llm.last_look import LastLooks
from domain.llm.model import Completed, CompletionRequest, TextDelta, TokenUsage
from domain.llm.provider_errors import ProviderError
from domain.ports import Tokens

if TYPE_CHECKING:
    from openai import AsyncOpenAI

logger = logging.getLogger(__name__)

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "none"
CALL_ID_HEADER = "X-Client-Request-Id"
"""OpenAI's header for an id of the client's own; other servers pass it over, or write it to their logs."""
WRITE_TIMEOUT_SECONDS = 60.0
LINGER_SECONDS = 0.25
"""How long a finished stream is read on for its formal end, which lets the connection be used again."""


class OpenAIModel:
    """Chat completions, streamed. The client's own retries are off; only a parameter the model does not take is left out by itself.

    Seconds: `connect_timeout` until connected; `first_token_timeout` for silence before the first text, which reasoning may delay;
    `chunk_timeout` for silence after it. `tokens` counts what a provider does not report.
    """

    rehearsal = False

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None,
        tokens: Tokens,
        connect_timeout: float = 10.0,
        first_token_timeout: float = 120.0,
        chunk_timeout: float = 45.0,
    ) -> None:
        self._api_key = (api_key or "").strip() or NO_KEY
        self._base_url = base_url or OPENAI_URL
        self._tokens = tokens
        self._connect_timeout = connect_timeout
        self._first_token_timeout = first_token_timeout
        self._chunk_timeout = chunk_timeout
        self._dialects: dict[str, Dialect] = {}
        self._last_looks = LastLooks(CALL_ID_HEADER)
        self._is_prepared = False

    async def prepare(self) -> None:
        # In a thread, so that the first call does not hold up everybody for the second that this takes.
        if not self._is_prepared:
            await asyncio.to_thread(self._load_client)
            self._is_prepared = True

    @asynccontextmanager
    async def stream(self, request: CompletionRequest) -> AsyncIterator[AsyncIterator[TextDelta | Completed]]:
        with self._last_looks.at(request.call_id, request.last_look) if request.call_id else nullcontext():
            response = await self._open(request)
        try:
            async with aclosing(self._read(request, response)) as items:
                yield items
        finally:
            # Whatever closing a broken connection raises: the caller has the answer, or the failure, already.
            with suppress(Exception):
                await response.aclose()

    async def aclose(self) -> None:
        if "_client" in self.__dict__:
            await self._client.close()

    def _load_client(self) -> None:
        """Named to the last, as the client imports each part of itself when it is first asked for."""
        with suppress(Exception):  # a key that cannot be: whoever makes a call is told
            _ = self._client.chat.completions.with_streaming_response

    @cached_property
    def _client(self) -> "AsyncOpenAI":
        return _new_client(self._api_key, self._base_url, connect_timeout=self._connect_timeout, looks=self._last_looks)

    async def _open(self, request: CompletionRequest) -> httpx2.Response:
        dialect = self._dialects.get(request.model) or self._first_dialect()
        tried: set[Dialect] = set()
        while True:
            tried.add(dialect)
            answer = await self._ask(request, dialect)
            if isinstance(answer, httpx2.Response):
                break
            better = _after(dialect, answer, request) if answer.status in {400, 422} else None
            if better is None or better in tried:
                raise answer.failure()
            dialect = better
        if len(tried) > 1:
            self._dialects[request.model] = dialect
            logger.info("model.dialect_learned", extra={"model": request.model, "dialect": repr(dialect)})
        return answer

    async def _ask(self, request: CompletionRequest, dialect: Dialect) -> httpx2.Response | ProviderError:
        await self.prepare()
        messages: Any = [{"role": message.role.value, "content": _sendable(message.text)} for message in request.messages]
        try:
            async with _failures_told_apart(self._first_token_timeout):
                answer = await self._client.chat.completions.with_streaming_response.create(
                    model=request.model,
                    messages=messages,
                    stream=True,
                    extra_headers={CALL_ID_HEADER: str(request.call_id)} if request.call_id else None,
                    **dialect.parameters(request),
                ).__aenter__()
        except _Refused as refusal:
            return refusal.error
        response: httpx2.Response = answer.http_response
        return response

    async def _read(self, request: CompletionRequest, response: httpx2.Response) -> AsyncGenerator[TextDelta | Completed, None]:
        chat, silence = ChatStream(), self._first_token_timeout
        try:
            _require_event_stream(response)
            async with aclosing(_events(response)) as events:
                while not chat.ended and (data := await _next(events, silence)) is not None:
                    if text := chat.read(data):
                        silence = self._chunk_timeout
                        yield TextDelta(text)
                finish = chat.conclude()
                usage = chat.usage or await self._estimate(request, chat)
                yield Completed(finish=finish, usage=usage, request_id=response.headers.get("x-request-id") or chat.completion_id)
                with suppress(ModelFailure):
                    await _next(events, LINGER_SECONDS)
        except ModelFailure as failure:
            failure.usage = chat.usage or await self._estimate(request, chat)
            raise

    async def _estimate(self, request: CompletionRequest, chat: ChatStream) -> TokenUsage:
        def estimate() -> TokenUsage:
            return TokenUsage(
                prompt_tokens=self._tokens.count_messages(request.messages, model=request.model),
                cached_prompt_tokens=0,
                completion_tokens=self._tokens.count(chat.text, model=request.model),
                estimated=True,
            )

        return await asyncio.to_thread(estimate)

    def _first_dialect(self) -> Dialect:
        official = urlsplit(self._base_url).hostname == urlsplit(OPENAI_URL).hostname
        return Dialect(length_limit="max_completion_tokens" if official else "max_tokens")


class OpenAIEmbeddings:
    """Vectors for texts, whole answers at a time; `answer_timeout` is in seconds. The client's own retries are off."""

    def __init__(
        self, name: str, *, api_key: str | None, base_url: str | None, connect_timeout: float = 10.0, answer_timeout: float = 60.0
    ) -> None:
        self.name = name
        self._api_key = (api_key or "").strip() or NO_KEY
        self._base_url = base_url or OPENAI_URL
        self._connect_timeout = connect_timeout
        self._answer_timeout = answer_timeout

    async def embed(self, texts: Sequence[str], *, call_id: UUID) -> Embedded:
        with suppress(Exception):  # a key that cannot be: the call below says so
            await asyncio.to_thread(lambda: self._client.embeddings.with_raw_response)
        try:
            async with _failures_told_apart(self._answer_timeout):
                answer = await self._client.embeddings.with_raw_response.create(
                    model=self.name,
                    input=[_sendable(text) for text in texts],
                    encoding_format="float",
                    extra_headers={CALL_ID_HEADER: str(call_id)},
                )
        except _Refused as refusal:
            raise refusal.error.failure() from None
        return await asyncio.to_thread(read_embeddings, answer.content, texts=len(texts))

    async def aclose(self) -> None:
        if "_client" in self.__dict__:
            await self._client.close()

    @cached_property
    def _client(self) -> "AsyncOpenAI":
        return _new_client(self._api_key, self._base_url, connect_timeout=self._connect_timeout)


def _after(dialect: Dialect, refusal: ProviderError, request: CompletionRequest) -> Dialect | None:
    return dialect.after_refusal(
        parameter=refusal.parameter, explanation=refusal.explanation, schema_asked_for=request.response_schema is not None
    )


class _Refused(Exception):  # noqa: N818  - an answer, though not the one that was asked for
    def __init__(self, error: ProviderError) -> None:
        super().__init__(error.status)
        self.error = error


def _new_client(api_key: str, base_url: str, *, connect_timeout: float, looks: LastLooks | None = None) -> "AsyncOpenAI":
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient  # noqa: PLC0415 - takes 0.9 s, so it is called for in a thread

    # Silence is timed by whoever calls, not by packet, so the client need not time reads.
    timeout = httpx2.Timeout(connect=connect_timeout, read=None, write=WRITE_TIMEOUT_SECONDS, pool=connect_timeout)
    http = DefaultAsyncHttpxClient(timeout=timeout, event_hooks={"request": [looks.attach] if looks else []})
    return AsyncOpenAI(api_key=api_key, base_url=base_url, timeout=timeout, max_retries=0, http_client=http)


@asynccontextmanager
async def _failures_told_apart(seconds: float) -> AsyncIterator[None]:
    """Around a request that is to be answered within so many seconds. Raises ModelFailure, and _Refused where the provider says no."""
    openai: Any = import_module("openai")
    try:
        async with asyncio.timeout(seconds):
            yield
    except openai.APIStatusError as error:
        raise _Refused(ProviderError.read(status=error.status_code, body=error.body, headers=error.response.headers)) from None
    except TimeoutError:
        raise ModelStalled(f"The model did not answer within {seconds:g} seconds. Try again.") from None
    except openai.APIConnectionError:
        raise ModelUnavailable("The model's provider could not be reached. Check the network and OPENAI_BASE_URL, or try later.") from None
    except Exception as error:
        # The client's ways to fail before it sends anything are not enumerable: keys and addresses that no header or URL can say.
        raise ModelMisconfigured(
            f"The request could not be made ({type(error).__name__}). Check OPENAI_API_KEY and OPENAI_BASE_URL."
        ) from error


async def _events(response: httpx2.Response) -> AsyncGenerator[bytes, None]:
    events = EventStream()
    async for chunk in response.aiter_bytes():
        for data in events.feed(chunk):
            yield data


async def _next(events: AsyncIterator[bytes], silence: float) -> bytes | None:
    """The next event's data; None at the end. Raises ModelFailure, also after `silence` seconds, in which comments do not count."""
    try:
        async with asyncio.timeout(silence):
            return await anext(events, None)
    except TimeoutError:
        raise ModelStalled(f"The model fell silent for {silence:g} seconds. Try again.") from None
    except (httpx2.DecodingError, EventTooLarge):
        raise ModelMalformed("The model's answer could not be decoded. Try again.") from None
    except Exception as error:
        # What a broken connection raises is up to three layers below: httpx2, anyio and ssl.
        raise ModelInterrupted("The connection to the model's provider broke. Try again.") from error


def _require_event_stream(response: httpx2.Response) -> None:
    kind = response.headers.get("content-type", "text/event-stream").partition(";")[0].strip().lower()
    if kind != "text/event-stream":
        raise ModelMalformed("The address answers, but not with a stream of events. Check OPENAI_BASE_URL: it usually ends in /v1.")


def _sendable(text: str) -> str:
    """Lone surrogates cannot be sent in UTF-8."""
    return text.encode(errors="replace").decode()
