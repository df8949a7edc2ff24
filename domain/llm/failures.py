"""How a call to a language model can fail, told apart by what the caller can do next.

    ModelFailure
    ├── ModelUnavailable          no connection, 5xx, 529: wait and try again
    ├── ModelRateLimited          429: wait as long as asked and try again
    ├── ModelQuotaExhausted       402, or 429 because the money is spent: top up first
    ├── ModelCredentialsRefused   401, 403: repair the key first
    ├── ModelRejectedRequest      400, 404, 422: change the request first
    │   ├── ModelUnknown          choose another model
    │   └── ModelContextExceeded  send less
    ├── ModelRefusedContent       declined to write this: change the brief first
    ├── ModelStalled              silent for too long: try again
    ├── ModelInterrupted          cut off before its end: try again
    ├── ModelMalformed            not a readable stream: try again; if it persists, check the address
    ├── ModelEmpty                ended well without any text: try again
    │   └── ModelLengthExhausted  all tokens went into hidden reasoning: allow more
    └── ModelMisconfigured        the client itself cannot work: repair the settings first

Messages are for authors and operators. They never contain keys, prompts, generated text or the provider's own prose.
"""

from domain.llm.model import TokenUsage


class ModelFailure(Exception):  # noqa: N818 - the word of the domain; its subclasses read as sentences
    """`retry_after`: seconds the provider asked to wait; `usage`: what the failed call has probably cost, None when it was not begun."""

    code = "MODEL_FAILURE"
    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.usage: TokenUsage | None = None


class ModelUnavailable(ModelFailure):
    code = "MODEL_UNAVAILABLE"


class ModelRateLimited(ModelFailure):
    code = "MODEL_RATE_LIMITED"


class ModelQuotaExhausted(ModelFailure):
    code = "MODEL_QUOTA_EXHAUSTED"
    retryable = False


class ModelCredentialsRefused(ModelFailure):
    code = "MODEL_CREDENTIALS_REFUSED"
    retryable = False


class ModelRejectedRequest(ModelFailure):
    code = "MODEL_REJECTED_REQUEST"
    retryable = False


class ModelUnknown(ModelRejectedRequest):
    code = "MODEL_UNKNOWN"


class ModelContextExceeded(ModelRejectedRequest):
    code = "MODEL_CONTEXT_EXCEEDED"


class ModelRefusedContent(ModelFailure):
    code = "MODEL_REFUSED_CONTENT"
    retryable = False


class ModelStalled(ModelFailure):
    code = "MODEL_STALLED"


class ModelInterrupted(ModelFailure):
    code = "MODEL_INTERRUPTED"


class ModelMalformed(ModelFailure):
    code = "MODEL_MALFORMED"


class ModelEmpty(ModelFailure):
    code = "MODEL_EMPTY"


class ModelLengthExhausted(ModelEmpty):
    code = "MODEL_LENGTH_EXHAUSTED"
    retryable = False


class ModelMisconfigured(ModelFailure):
    code = "MODEL_MISCONFIGURED"
    retryable = False
