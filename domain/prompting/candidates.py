"""What could be in a prompt: a candidate and the forms it can be sent in."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from domain.llm.model import Message
from domain.ports import Tokens
from domain.prompting.index.passages import Span
from domain.prompting.memory import ProjectMemory, TextKey
from domain.prompting.receipts import Reason, Source
from domain.prompting.sections import Section


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One form in which a candidate can be sent: `text` is what is sent, to the last line feed, and costs `tokens`.

    `worth` is the part that it covers of all that the chapter needs (see `worth.py`); `spans` are the parts of the source's text.
    """

    text: str
    tokens: int
    worth: float
    complete: bool = True
    spans: tuple[Span, ...] = ()


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
COUNT_BYTES = 200


class TokenMeter:
    """Counts tokens for one model, and remembers the counts of texts that come again with every prompt."""

    def __init__(self, tokens: Tokens, model: str, memory: ProjectMemory | None = None) -> None:
        self.tokens = tokens
        self.model = model
        self.tokenizer = tokens.tokenizer(model)
        self._memory = memory or ProjectMemory()
        self._messages: dict[Message, int] = {}

    @property
    def key(self) -> str:
        """What prices depend on, beside the text."""
        return self.tokenizer.name

    def count(self, text: str) -> int:
        return self.tokens.count(text, model=self.model)

    def count_messages(self, messages: Sequence[Message]) -> int:
        """What a request with these messages is billed as: the frames of empty ones, and the texts, each counted once for a prompt."""
        frames = self.tokens.count_messages([Message(message.role, "") for message in messages], model=self.model)
        return frames + sum(self.count_message(message) for message in messages)

    def count_message(self, message: Message) -> int:
        """The message's text alone."""
        if message not in self._messages:
            self._messages[message] = self.count(message.text)
        return self._messages[message]

    def price(self, text: str, source: Source, spans: Sequence[Span]) -> int:  # noqa: ARG002  - a meter may price the source's own text
        """What it costs to send these parts of a source, laid out as `text`."""
        return self.count_once(text)

    def count_once(self, text: str) -> int:
        """As `count`, for a text that may come again with the next prompt."""
        key = ("tokens", self.tokenizer.name, sha256(text.encode("utf-8", "surrogatepass")).digest())
        return self._memory.derived(key, lambda: self.count(text), size=lambda _: COUNT_BYTES)

    def estimate_once(self, text: str, of: TextKey) -> int:
        """As `estimate`, for the whole text that is known by this key."""
        key = ("estimate", self.tokenizer.name, of)
        return self._memory.derived(key, lambda: self.estimate(text), size=lambda _: COUNT_BYTES, of=of)

    def estimate(self, text: str) -> int:
        """Counted up to a few pages; a longer text that is not to be sent is judged by its first pages."""
        if len(text) <= SAMPLED_CHARACTERS:
            return self.count_once(text)
        sample = self.count_once(text[:SAMPLED_CHARACTERS])
        return round(sample * len(text) / SAMPLED_CHARACTERS)


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
