"""The calls that a plan needs: which of its edits each of them asks for, and which parts of the chapter it shows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from domain.assessing.quotes import Place
from domain.assessing.revising.passages import Passages
from domain.assessing.revising.plan import PlannedEdit, PlannedInsertion, RevisionPlan

Wanted = PlannedEdit | PlannedInsertion
CountTokens = Callable[[str], int]
"""How many tokens a text is for the model that will be called."""

MOST_EDITS = 12
"""Edits and insertions that one call asks for, and edits that it may propose."""
PASSAGE_TOKENS = 3_000
"""Of the passages that one call asks for, together; a longer passage is asked for alone."""
WHOLE_TEXT_TOKENS = 16_000
"""Up to here the whole chapter is shown; of a longer one, what surrounds the passages."""
SURROUNDING_TOKENS = 1_500
"""Around each passage, half before and half behind it."""

_INSERTION_TOKENS = 600
_ANSWER_TOKENS = 400  # the JSON around the texts, and a model's habit of explaining itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one call asks for. `shown` are the parts of the text that it shows, in order; `most_proposals` is 0 unless the plan is free.

    `outlined`: only the first sentence of each paragraph is shown, because the place of an insertion can be anywhere in a long text.
    """

    edits: tuple[PlannedEdit, ...]
    insertions: tuple[PlannedInsertion, ...]
    most_proposals: int
    shown: tuple[Place, ...]
    outlined: bool = False

    def most_answer_tokens(self, text: str, count: CountTokens) -> int:
        """What an answer needs at most, in all reason."""
        passages = sum(2 * count(text[edit.start : edit.end]) + 150 for edit in self.edits)
        return _ANSWER_TOKENS + passages + _INSERTION_TOKENS * (len(self.insertions) + self.most_proposals)


def asked_of(plan: RevisionPlan, *, count: CountTokens, whole_text_tokens: int = WHOLE_TEXT_TOKENS) -> tuple[Asked, ...]:
    """None where the plan is ready. Calls of a text that is shown whole show it alike, so that providers can cache it."""
    passages = Passages(plan.text, language=plan.language)
    tokens = count(plan.text)
    whole = tokens <= whole_text_tokens
    if plan.free:
        parts = (Place(0, len(plan.text)),) if whole else tuple(_parts(passages, count, whole_text_tokens))
        return tuple(Asked(edits=(), insertions=(), most_proposals=MOST_EDITS, shown=(part,)) for part in parts)
    if whole:
        wanted: list[Wanted] = [*plan.asked_edits, *plan.insertions]
        return tuple(_asked(batch, (Place(0, len(plan.text)),)) for batch in _batches(wanted, plan.text, count))
    radius = round(SURROUNDING_TOKENS / 2 * len(plan.text) / tokens)
    outline = tuple(_outline(passages, count, whole_text_tokens))
    return (
        *(_asked(batch, _surroundings(batch, passages, radius)) for batch in _batches(plan.asked_edits, plan.text, count)),
        *(_asked(batch, outline, outlined=True) for batch in _batches(plan.insertions, plan.text, count)),
    )


def _asked(batch: Sequence[Wanted], shown: tuple[Place, ...], *, outlined: bool = False) -> Asked:
    return Asked(
        edits=tuple(each for each in batch if isinstance(each, PlannedEdit)),
        insertions=tuple(each for each in batch if isinstance(each, PlannedInsertion)),
        most_proposals=0,
        shown=shown,
        outlined=outlined,
    )


def _batches(wanted: Sequence[Wanted], text: str, count: CountTokens) -> Iterator[list[Wanted]]:
    batch: list[Wanted] = []
    used = 0
    for each in wanted:
        tokens = count(text[each.start : each.end]) if isinstance(each, PlannedEdit) else 0
        if batch and (len(batch) == MOST_EDITS or used + tokens > PASSAGE_TOKENS):
            yield batch
            batch, used = [], 0
        batch.append(each)
        used += tokens
    if batch:
        yield batch


def _surroundings(batch: Sequence[Wanted], passages: Passages, radius: int) -> tuple[Place, ...]:
    """Whole sentences around each passage; what overlaps is one part."""
    parts: list[Place] = []
    for edit in batch:
        assert isinstance(edit, PlannedEdit)
        part = passages.around(Place(edit.start, edit.end), radius)
        if parts and part.start <= parts[-1].end:
            part = Place(parts.pop().start, part.end)
        parts.append(part)
    return tuple(parts)


def _parts(passages: Passages, count: CountTokens, most_tokens: int) -> Iterator[Place]:
    """The whole text, cut between paragraphs into parts of at most so many tokens; a longer paragraph is a part of its own."""
    start = end = used = 0
    for paragraph in passages.paragraphs:
        tokens = count(passages.text[paragraph.start : paragraph.end])
        if used and used + tokens > most_tokens:
            yield Place(start, end)
            start, used = paragraph.start, 0
        end = paragraph.end
        used += tokens
    yield Place(start, len(passages.text))


def _outline(passages: Passages, count: CountTokens, most_tokens: int) -> Iterator[Place]:
    """The first sentence of each paragraph, or of every second or third, so that they have room."""
    firsts = list(passages.first_sentences())
    used = sum(count(passages.text[place.start : place.end]) for place in firsts)
    yield from firsts[:: -(-used // most_tokens) or 1]
