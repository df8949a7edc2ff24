"""Why a reference file may matter, in a form that can be weighed and read."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from domain.prompting.receipts import Reason


@dataclass(frozen=True, slots=True)
class Evidence:
    """`strength` is 0..1; `text` reads like '"the Captain" in the brief', and what it quotes really stands there."""

    strength: float
    reason: Reason
    text: str


def combined_strength(evidence: Iterable[Evidence]) -> float:
    """Independent witnesses: the chance that at least one is right, each taken to be right with its strength."""
    return 1.0 - prod(1.0 - one.strength for one in evidence)
