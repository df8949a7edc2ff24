"""Which parameters a model takes: OpenAI-compatible servers, and OpenAI's own models, differ in four.

Nothing tells beforehand. So the first request is made as most would take it, and a refusal that names a parameter teaches better;
refused requests cost nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, Self

from domain.llm.model import CompletionRequest

LengthLimit = Literal["max_tokens", "max_completion_tokens"]
AnswerFormat = Literal["json_schema", "json_object", "text"]

# "Unsupported parameter", "Unrecognized request argument", "Extra inputs are not permitted", "does not support 0.7 with this model"; but
# not "temperature must be at most 2", which another request would not mend.
_NOT_TAKEN = re.compile(
    r"un(?:supported|recogni[sz]ed|known|expected)|extra|not (?:supported|permitted|allowed)|n[o']t support|forbidden", re.IGNORECASE
)
_FORMAT = re.compile(r"\bjson_(?:schema|object)\b")
_LESS_STRICT: Mapping[AnswerFormat, AnswerFormat] = MappingProxyType({"json_schema": "json_object", "json_object": "text"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """OpenAI's newer models refuse `max_tokens`; most other servers know nothing else, and ignore (!) a limit they do not know.

    `answer_format`: how strictly the server can hold an answer to a schema; "text" leaves it to what the prompt says.
    """

    length_limit: LengthLimit
    temperature: bool = True
    usage_in_stream: bool = True
    answer_format: AnswerFormat = "json_schema"

    def parameters(self, request: CompletionRequest) -> dict[str, Any]:
        parameters: dict[str, Any] = {self.length_limit: request.max_tokens}
        if self.temperature:
            parameters["temperature"] = request.temperature
        if self.usage_in_stream:
            parameters["stream_options"] = {"include_usage": True}
        if request.response_schema is not None and self.answer_format != "text":
            parameters["response_format"] = self._response_format(request)
        return parameters

    def _response_format(self, request: CompletionRequest) -> dict[str, Any]:
        if self.answer_format == "json_object":
            return {"type": "json_object"}
        return {
            "type": "json_schema",
            "json_schema": {"name": request.schema_name, "strict": True, "schema": dict(request.response_schema or {})},
        }

    def after_refusal(self, *, parameter: str | None, explanation: str, schema_asked_for: bool = False) -> Self | None:
        """The dialect to try next, or None when the refusal is not about a parameter that this dialect sends."""

        def named(name: str) -> bool:
            return parameter.split(".")[0] == name if parameter else re.search(rf"\b{name}\b", explanation) is not None

        # Whatever a server dislikes about it ("must be 'text'", "unavailable now", "invalid schema"), asking for less may mend it.
        less = _LESS_STRICT.get(self.answer_format) if schema_asked_for else None
        if less and (named("response_format") or (not parameter and _FORMAT.search(explanation))):
            return replace(self, answer_format=less)
        if not _NOT_TAKEN.search(explanation):
            return None
        if named(self.length_limit):
            other: LengthLimit = "max_tokens" if self.length_limit == "max_completion_tokens" else "max_completion_tokens"
            return replace(self, length_limit=other)
        if self.temperature and named("temperature"):
            return replace(self, temperature=False)
        if self.usage_in_stream and (named("stream_options") or named("include_usage")):
            return replace(self, usage_in_stream=False)
        return None
