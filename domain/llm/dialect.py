"""Which parameters a model takes: OpenAI-compatible servers, and OpenAI's own models, differ in three.

Nothing tells beforehand. So the first request is made as most would take it, and a refusal that names a parameter teaches better;
refused requests cost nothing.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from domain.llm.model import CompletionRequest

LengthLimit = Literal["max_tokens", "max_completion_tokens"]

# "Unsupported parameter", "Unrecognized request argument", "Extra inputs are not permitted", "does not support 0.7 with this model"; but
# not "temperature must be at most 2", which another request would not mend.
_NOT_TAKEN = re.compile(
    r"un(?:supported|recogni[sz]ed|known|expected)|extra|not (?:supported|permitted|allowed)|n[o']t support|forbidden", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """OpenAI's newer models refuse `max_tokens`; most other servers know nothing else, and ignore (!) a limit they do not know."""

    length_limit: LengthLimit
    temperature: bool = True
    usage_in_stream: bool = True

    def parameters(self, request: CompletionRequest) -> dict[str, Any]:
        parameters: dict[str, Any] = {self.length_limit: request.max_tokens}
        if self.temperature:
            parameters["temperature"] = request.temperature
        if self.usage_in_stream:
            parameters["stream_options"] = {"include_usage": True}
        return parameters

    def after_refusal(self, *, parameter: str | None, explanation: str) -> Self | None:
        """The dialect to try next, or None when the refusal is not about a parameter that this dialect sends."""
        if not _NOT_TAKEN.search(explanation):
            return None

        def named(name: str) -> bool:
            return parameter.split(".")[0] == name if parameter else re.search(rf"\b{name}\b", explanation) is not None

        if named(self.length_limit):
            other: LengthLimit = "max_tokens" if self.length_limit == "max_completion_tokens" else "max_completion_tokens"
            return replace(self, length_limit=other)
        if self.temperature and named("temperature"):
            return replace(self, temperature=False)
        if self.usage_in_stream and (named("stream_options") or named("include_usage")):
            return replace(self, usage_in_stream=False)
        return None
