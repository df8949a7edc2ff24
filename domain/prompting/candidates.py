"""What could be in a prompt: a candidate, its variants, and how much each is worth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from domain.llm.model import Message
from domain.ports import Tokens
from domain.prompting.receipts import Reason, Source
from domain.prompting.sections import Section

REDUCED_SHARE = 0.7
"""What an excerpt is worth of the whole: whoever chose it kept what matters most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One form in which a candidate can be sent: `text` is what is sent, to the last line feed, and costs `tokens`."""

    text: str
    tokens: int
    worth: float
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Something that could be sent, shortest variant first; one without variants is kept out, and `reason` says why.

    `place` orders the candidates of a section; the required ones have one variant.
    """

    section: Section
    place: tuple[str | int, ...]
    label: str
    source: Source | None = None
    reason: Reason
    evidence: tuple[str, ...] = ()
    score: float = 1.0
    required: bool = False
    variants: tuple[Variant, ...] = ()
    tokens_in_full: int

    @property
    def position(self) -> tuple[int, tuple[str | int, ...]]:
        return self.section.rank, self.place


SAMPLED_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True)
class TokenMeter:
    """Counts tokens for one model."""

    tokens: Tokens
    model: str

    def count(self, text: str) -> int:
        return self.tokens.count(text, model=self.model)

    def count_messages(self, messages: Sequence[Message]) -> int:
        return self.tokens.count_messages(messages, model=self.model)

    def estimate(self, text: str) -> int:
        """Counted up to a few pages; a longer text that is not to be sent is judged by its first pages."""
        if len(text) <= SAMPLED_CHARACTERS:
            return self.count(text)
        return round(self.count(text[:SAMPLED_CHARACTERS]) * len(text) / SAMPLED_CHARACTERS)


def worth(score: float, tokens: int) -> float:
    """What sending `tokens` of something is worth.

    The root: the first facts of a sheet tell more than its last ones. The square: one thing that the brief names outbids several that
    were named somewhere else.
    """
    return score * score * sqrt(tokens)


def instruction(section: Section, label: str, text: str, *, meter: TokenMeter, place: int = 0, evidence: tuple[str, ...] = ()) -> Candidate:
    """Something that must be sent as it is."""
    sent = f"{text}\n\n"
    tokens = meter.count(sent)
    return Candidate(
        section=section,
        place=(place,),
        label=label,
        reason=Reason.MANDATORY,
        evidence=evidence,
        required=True,
        variants=(Variant(text=sent, tokens=tokens, worth=0.0),),
        tokens_in_full=tokens,
    )


def variants_of(texts: Iterable[tuple[str, bool]], *, score: float, meter: TokenMeter) -> tuple[Variant, ...]:
    """Variants of growing length, of texts that are each told to be complete or not."""
    counted = [(text, meter.count(text), complete) for text, complete in texts]
    in_full = worth(score, counted[-1][1])
    return tuple(
        Variant(text=text, tokens=tokens, worth=in_full if complete else REDUCED_SHARE * in_full, complete=complete)
        for text, tokens, complete in counted
        if complete or tokens < counted[-1][1]
    )
