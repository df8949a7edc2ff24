from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from domain.llm.model import Completed, CompletionRequest, LanguageModel, Message, Role, TextDelta
from domain.llm.openai_model import OpenAIModel
from domain.llm.tokens import TokenCounter
from tests.fakes.model_server import ScriptedModelServer


@pytest.fixture(scope="session")
def tokens() -> TokenCounter:
    return TokenCounter()


@pytest.fixture
async def server() -> AsyncIterator[ScriptedModelServer]:
    async with ScriptedModelServer() as server:
        yield server


@pytest.fixture
async def connect(server: ScriptedModelServer, tokens: TokenCounter) -> AsyncIterator[Callable[..., OpenAIModel]]:
    """Makes a model behind the scripted server, or behind another address, and closes it in the end."""
    async with AsyncExitStack() as stack:

        def connect(**options) -> OpenAIModel:
            model = OpenAIModel(**{"api_key": "secret-key", "base_url": server.url, "tokens": tokens, **options})
            stack.push_async_callback(model.aclose)
            return model

        yield connect


@pytest.fixture
def ask() -> Callable[..., CompletionRequest]:
    def ask(*texts: str, model: str = "gpt-4o", max_tokens: int = 4000) -> CompletionRequest:
        """A request of a user's message, then the assistant's, and so on."""
        roles = (Role.USER, Role.ASSISTANT)
        messages = tuple(Message(roles[number % 2], text) for number, text in enumerate(texts or ("Write about the sea.",)))
        return CompletionRequest(model=model, messages=messages, temperature=0.7, max_tokens=max_tokens)

    return ask


@pytest.fixture
def complete() -> Callable[..., object]:
    async def complete(model: LanguageModel, request: CompletionRequest) -> tuple[str, Completed]:
        """The whole text and the closing record, which must be the last item."""
        parts = []
        async with model.stream(request) as items:
            async for item in items:
                assert not parts or isinstance(parts[-1], TextDelta), "something came behind Completed"
                parts.append(item)
        assert isinstance(parts[-1], Completed)
        return "".join(part.text for part in parts[:-1]), parts[-1]

    return complete
