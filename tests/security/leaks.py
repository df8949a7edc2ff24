"""Whether an answer says something about our insides."""

import builtins
import re
from collections.abc import Iterator
from typing import Any, Final

from settings import ROOT

_PYTHON_ERRORS: Final = "|".join(
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
)
_LIBRARIES: Final = (
    "strawberry|graphql[-_]core|sqlalchemy|asyncpg|psycopg|starlette|uvicorn|orjson|procrastinate|pydantic|tiktoken|asyncio|jose"
)
_INSIDES: Final = re.compile(
    "|".join(
        (
            *(
                rf"\b(?:{_PYTHON_ERRORS})\b",
                rf"\b(?:{_LIBRARIES})\b",
                r"Traceback|most recent call",
                r'File "',
                r"\.py\b",
                r"\bline \d+, in\b",
            ),
            *(
                r"<(?:class|function|bound|coroutine|module|object)\b",
                r" object at |0x[0-9a-f]{6,}",
                r"\bNoneType\b|\b__[a-z]+__\b|\blambda\b",
            ),
            *(r"\b(?:None|True|False)\b", r"\bself\b|\bkwargs\b|positional argument|has no attribute|not subscriptable|object is not"),
            *(
                r"\b(?:SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|WHERE|SQLSTATE)\b",
                r"\brelation \"|\bconstraint\b|\bduplicate key\b|\bviolates\b",
            ),
            *(r"site-packages|/usr/|/home/|/root/|/tmp/", re.escape(str(ROOT)), r"postgres(?:ql)?\b"),
        )
    )
)


def leaks(answer: Any) -> list[str]:
    """The messages of an answer that say it: errors of the request, and those in the payloads of mutations."""
    return [message for message in _messages(answer) if _INSIDES.search(message)]


def _messages(answer: Any, *, of_error: bool = False) -> Iterator[str]:
    match answer:
        case dict():
            for name, content in answer.items():
                yield from _messages(content, of_error=of_error or name in {"errors", "extensions", "failure"})
        case list():
            for content in answer:
                yield from _messages(content, of_error=of_error)
        case str() if of_error:
            yield answer
