"""Calls for vectors, and chapters that lack them."""

from decimal import Decimal
from hashlib import sha256
from uuid import uuid4

from domain.jobs.embedding import EmbeddingCall
from domain.llm.model import TokenUsage

MODEL = "text-embedding-3-small"
USAGE = TokenUsage(prompt_tokens=100, cached_prompt_tokens=0, completion_tokens=0, estimated=False)
EXPECTED = TokenUsage(prompt_tokens=120, cached_prompt_tokens=0, completion_tokens=0, estimated=True)
COST, EXPECTED_COST = Decimal("0.250000"), Decimal("0.300000")


def key(number: int) -> bytes:
    return sha256(str(number).encode()).digest()


def a_call(user, project, *, model=MODEL, cost=EXPECTED_COST) -> EmbeddingCall:
    return EmbeddingCall(id=uuid4(), project_id=project.id, user_id=user.id, model=model, expected=EXPECTED, cost=cost)
