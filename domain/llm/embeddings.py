"""The port to embedding models: texts go in, one vector for each and what they cost in tokens come out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Protocol
from uuid import UUID

from domain.llm.failures import ModelMalformed


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """`vectors` in the order of the texts, all of as many finite numbers; `tokens` is None where the provider does not say."""

    vectors: tuple[tuple[float, ...], ...]
    tokens: int | None


class EmbeddingModel(Protocol):
    @property
    def name(self) -> str: ...

    async def embed(self, texts: Sequence[str], *, call_id: UUID) -> Embedded:
        """One attempt. Raises ModelFailure and nothing else (besides cancellation)."""

    async def aclose(self) -> None:
        """Let go of idle connections."""


def read_embeddings(body: bytes, *, texts: int) -> Embedded:
    """The answer to a request for so many vectors. CPU-bound: some 20 ms for 64 of 1,536 numbers. Raises ModelMalformed."""
    try:
        answer = json.loads(body)
        rows = sorted(answer["data"], key=lambda row: row["index"])
        vectors = tuple(tuple(map(_number, row["embedding"])) for row in rows)
        is_whole = [row["index"] for row in rows] == list(range(texts))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise _malformed() from None
    if not is_whole or len({len(vector) for vector in vectors}) != 1 or not vectors[0]:
        raise _malformed()
    return Embedded(vectors=vectors, tokens=_tokens(answer.get("usage")))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise ValueError("no finite number")
    return float(value)


def _tokens(usage: object) -> int | None:
    tokens = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens > 0 else None


def _malformed() -> ModelMalformed:
    return ModelMalformed("The address answers, but not with one vector for each text. Check SCRIPTORIUM_EMBEDDING_MODEL.")
