"""What a provider's error means, read from its status and body, which every OpenAI-compatible server words in its own way."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

from domain.llm import failures

_IDENTIFIER = re.compile(r"[\w.\[\]-]{1,64}", re.ASCII)
_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context length|context (?:window|size|length)|prompt is too long|too many tokens",
    re.IGNORECASE,
)
_NO_SUCH_MODEL = re.compile(
    r"model_not_found|(?:unknown|invalid|no such) model|model\b.*(?:not found|does not exist|not loaded)", re.IGNORECASE
)
_REFUSED_CONTENT = re.compile(r"content_filter|content_policy|ResponsibleAIPolicy|content management policy", re.IGNORECASE)
_NO_MONEY = re.compile(r"insufficient_quota|billing|insufficient (?:credits|balance|funds)", re.IGNORECASE)
_EXPLANATION_CHARACTERS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderError:
    """`explanation` is the provider's prose, which may quote the prompt: to be searched, never to be shown."""

    status: int
    code: str | None = None
    parameter: str | None = None
    explanation: str = ""
    retry_after: float | None = None

    @classmethod
    def read(cls, *, status: int, body: object, headers: Mapping[str, str]) -> "ProviderError":
        """Of a response that refused the request."""
        return cls(status=status, retry_after=_retry_after(headers), **_details(body))

    @classmethod
    def read_from_stream(cls, body: object) -> "ProviderError":
        """Of an error told within a stream that had begun with 200, where at most the code says what the status would have been."""
        details = _details(body)
        return cls(status=_status_of(details["code"], details["explanation"]), **details)

    def failure(self) -> failures.ModelFailure:
        if _REFUSED_CONTENT.search(self.explanation):
            return failures.ModelRefusedContent(
                f"The provider's content policy refused this text{self._facts}. Change the brief or the model."
            )
        if self.status == 402 or (self.status == 429 and _NO_MONEY.search(self.explanation)):
            return failures.ModelQuotaExhausted(f"The credit with the model's provider is used up{self._facts}. Top it up, then try again.")
        if self.status == 429:
            return failures.ModelRateLimited(
                f"The model's provider limits how fast it may be called{self._facts}. Wait a little, then try again.",
                retry_after=self.retry_after,
            )
        if self.status in {401, 403}:
            return failures.ModelCredentialsRefused(f"The model's provider refused the key{self._facts}. Check OPENAI_API_KEY.")
        if self.status in {408, 409, 425} or self.status >= 500:
            return failures.ModelUnavailable(
                f"The model's provider is overloaded or out of order{self._facts}. Try again later.", retry_after=self.retry_after
            )
        return self._rejection()

    def _rejection(self) -> failures.ModelRejectedRequest:
        if self.status == 413 or _TOO_LONG.search(self.explanation):
            return failures.ModelContextExceeded(f"Prompt and answer do not fit into the model{self._facts}. Lower the token budget.")
        if _NO_SUCH_MODEL.search(self.explanation):
            return failures.ModelUnknown(f"The provider does not offer this model{self._facts}. Choose another one.")
        if self.status == 404:
            return failures.ModelRejectedRequest(f"There is no chat completion at this address{self._facts}. Check OPENAI_BASE_URL.")
        return failures.ModelRejectedRequest(f"The model's provider rejected the request{self._facts}. Change the settings or the model.")

    @property
    def _facts(self) -> str:
        named = [value for value in (self.code, self.parameter) if value and _IDENTIFIER.fullmatch(value)]
        return f" ({', '.join([f'HTTP {self.status}', *named])})"


def _details(body: object) -> dict[str, Any]:
    error = body.get("error", body) if isinstance(body, Mapping) else body
    if not isinstance(error, Mapping):
        return {"code": None, "parameter": None, "explanation": str(error or "")[:_EXPLANATION_CHARACTERS]}
    code, parameter = error.get("code") or error.get("type"), error.get("param")
    return {
        "code": str(code) if code is not None else None,
        "parameter": parameter if isinstance(parameter, str) else None,
        "explanation": json.dumps(error, default=str, ensure_ascii=False)[:_EXPLANATION_CHARACTERS],
    }


def _status_of(code: str | None, explanation: str) -> int:
    if code and code.isascii() and code.isdigit() and 400 <= int(code) < 600:
        return int(code)
    if "rate_limit" in explanation:
        return 429
    return 400 if "invalid_request" in explanation else 500


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from any of the three forms in use. A date counts from the response's own, so that no clock of ours is asked."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        return max(0.0, seconds) if isfinite(seconds) else None
    until, now = _date(headers.get("retry-after")), _date(headers.get("date"))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def _date(value: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(value) if value else None
    except ValueError:
        return None
