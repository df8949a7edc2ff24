"""What the events of one streamed chat completion add up to."""

from typing import Any

import orjson

from domain.llm.failures import ModelEmpty, ModelInterrupted, ModelLengthExhausted, ModelMalformed, ModelRefusedContent
from domain.llm.model import FinishReason, TokenUsage
from domain.llm.provider_errors import ProviderError

DONE = b"[DONE]"
MAXIMUM_TEXT_CHARACTERS = 4_000_000

_FINISH = {"length": FinishReason.LENGTH, "content_filter": FinishReason.CONTENT_FILTER}


class ChatStream:
    """Reads chunks in OpenAI's format, tolerating what compatible servers add (unknown events) and leave out (usage, the last `[DONE]`).

    Text comes only from `content`; hidden reasoning and refusals are passed over.
    """

    def __init__(self) -> None:
        self.usage: TokenUsage | None = None
        self.completion_id: str | None = None
        self._parts: list[str] = []
        self._characters = 0
        self._finish: FinishReason | None = None
        self._refused = False
        self._done = False

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def read(self, data: bytes) -> str:
        """The text that this event adds. Raises ModelFailure."""
        if data.strip() == DONE:
            self._done = True
            return ""
        event = _parse(data)
        if error := event.get("error"):
            raise ProviderError.read_from_stream(error).failure()
        self.completion_id = self.completion_id or _string(event.get("id"))
        self.usage = _usage(event.get("usage")) or self.usage
        if not (choices := event.get("choices")):
            return ""
        return self._read_choice(_object(_array(choices)[0]))

    def _read_choice(self, choice: dict[str, Any]) -> str:
        if finish := choice.get("finish_reason"):
            if finish == "error":
                raise ModelInterrupted("The model broke off with an error. Try again.")
            self._finish = _FINISH.get(finish, FinishReason.STOP)
        delta = _object(choice.get("delta") or {})
        self._refused = self._refused or bool(delta.get("refusal"))
        text = _string(delta.get("content")) or ""
        if text:
            self._parts.append(text)
            self._characters += len(text)
            if self._characters > MAXIMUM_TEXT_CHARACTERS:
                raise ModelMalformed("The model wrote without end. Try again, or choose another model.")
        return text

    @property
    def ended(self) -> bool:
        """Whether the provider has said that nothing follows."""
        return self._done

    def conclude(self) -> FinishReason:
        """How the text ended, once the stream has. Raises ModelFailure if it did not end well or brought no text."""
        if self._finish is None and not self._done:
            raise ModelInterrupted("The model's answer was cut off. Try again.")
        finish = self._finish or FinishReason.STOP
        if self._refused:
            finish = FinishReason.CONTENT_FILTER
        if self._parts:
            return finish
        if finish is FinishReason.CONTENT_FILTER:
            raise ModelRefusedContent("The model declined to write this. Change the brief or the model.")
        if finish is FinishReason.LENGTH:
            raise ModelLengthExhausted(
                "The model used up its tokens before the first word. Allow more, or choose a model that reasons less."
            )
        raise ModelEmpty("The model answered without any text. Try again.")


def _parse(data: bytes) -> dict[str, Any]:
    try:
        return _object(orjson.loads(data))
    except orjson.JSONDecodeError:
        # Not chained: the decoder's error carries the text it stumbled over.
        raise ModelMalformed("The model's answer contained something unreadable. Try again.") from None


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ModelMalformed("The model's answer is not in the format of chat completions. Check OPENAI_BASE_URL.")
    return value


def _array(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ModelMalformed("The model's answer is not in the format of chat completions. Check OPENAI_BASE_URL.")
    return value


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _usage(value: object) -> TokenUsage | None:
    """None as well for what cannot be true: it is then counted instead."""
    if not isinstance(value, dict):
        return None
    details = value.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    prompt, completion = _count(value.get("prompt_tokens")), _count(value.get("completion_tokens"))
    if prompt is None or completion is None or (cached or 0) > prompt:
        return None
    return TokenUsage(prompt_tokens=prompt, cached_prompt_tokens=cached or 0, completion_tokens=completion, estimated=False)


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
