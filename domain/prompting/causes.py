"""Why an item of one prompt is sent otherwise in another, read off the two receipts.

Only what pushes in the direction of the change is named: a score that fell brings nothing in. What the receipts cannot tell is not
claimed: the evidence for a file whose policy is never has not been looked for, and its text was measured in another way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from domain.prompting.receipts import Decision, PromptItem, PromptReceipt, Reason, SourceKind
from domain.prompting.sections import Section

REQUIRED: Final = frozenset({Reason.MANDATORY, Reason.ALWAYS, Reason.PINNED})
"""Sent whatever it takes, before anything is chosen."""

_CHOSEN: Final = frozenset({Reason.MENTIONED, Reason.RELATED, Reason.RELEVANT, Reason.RECENT, Reason.NO_ROOM})
_SCORED: Final = _CHOSEN | {Reason.NOT_RELEVANT}
_MEASURED: Final = _CHOSEN | REQUIRED
_SCORE_PLACES: Final = 4

# In the past and in the present tense.
_FOR_IT: Final[Mapping[Reason, tuple[str, str]]] = MappingProxyType(
    {
        Reason.ALWAYS: ("its inclusion policy was always", "its inclusion policy is always"),
        Reason.PINNED: ("the request asked for it", "the request asks for it"),
    }
)
_AGAINST_IT: Final[Mapping[Reason, tuple[str, str]]] = MappingProxyType(
    {
        Reason.DUPLICATE: ("it was a duplicate", "it is a duplicate"),
        Reason.NOT_RELEVANT: ("nothing connected it to the chapter", "nothing connects it to the chapter"),
        Reason.HIDDEN_BY_STORY_TIME: ("it was hidden by story time", "it is hidden by story time"),
        Reason.NEVER: ("its inclusion policy was never", "its inclusion policy is never"),
        Reason.EXCLUDED: ("the request excluded it", "the request excludes it"),
        Reason.EMPTY: ("it was empty", "it is empty"),
    }
)
_DETAILED: Final = frozenset({Reason.DUPLICATE, Reason.NOT_RELEVANT, Reason.HIDDEN_BY_STORY_TIME})
"""Reasons that the first piece of evidence completes: of what it is a duplicate, from which chapter on it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What bears on every item. `required_tokens`: how much more must be sent than before, whatever is chosen.

    `others_gained` and `others_lost`: whether any of what is chosen by its worth came in or grew, or went out or shrank.
    """

    before: PromptReceipt
    after: PromptReceipt
    required_tokens: int
    others_gained: bool
    others_lost: bool

    @property
    def budget(self) -> int:
        """By how much the budget grew, in tokens."""
        return self.after.token_budget - self.before.token_budget

    @property
    def counted_alike(self) -> bool:
        return self.before.tokenizer == self.after.tokenizer


def why(before: PromptItem | None, after: PromptItem | None, circumstances: Circumstances) -> str:
    """The causes of a change of what is sent of an item, with semicolons between them: never none.

    The two items must be sent differently: one is not sent, or they are of different lengths.
    """
    if before is None:
        assert after is not None
        return "; ".join(_arrival(after))
    if after is None:
        return "it is no longer a candidate" if _may_come_again(before) else "it no longer exists"
    causes = _Causes(before=before, after=after, circumstances=circumstances)
    return "; ".join(tuple(causes.known()) or (causes.remaining(),))


def _arrival(item: PromptItem) -> Iterator[str]:
    yield "it was not a candidate before" if _may_come_again(item) else "it is new"
    if item.reason in _FOR_IT:
        yield _FOR_IT[item.reason][1]
    if evidence := _evidence(item):
        yield f"evidence: {', '.join(evidence)}"


def _may_come_again(item: PromptItem) -> bool:
    """Every file of a project is in every receipt, a chapter only in those of later ones, and a passage only if it was found."""
    return item.source is not None and item.source.kind is SourceKind.CHAPTER_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class _Causes:
    """Of the difference between two forms of one item."""

    before: PromptItem
    after: PromptItem
    circumstances: Circumstances

    def known(self) -> Iterator[str]:
        if self._both_in_full:
            yield from self._text() or self._counting()
            return
        yield from self._reasons()
        yield from self._found_evidence() if self._up else self._lost_evidence()
        yield from self._score()
        yield from self._text()
        if self._competes:
            yield from self._budget()
            yield from self._counting()

    def remaining(self) -> str:
        """Where nothing of the item itself or the budget tells: what became of the others."""
        obstacle = self.before if self._up else self.after
        if self._both_in_full:
            return f"it is set out differently ({self._lengths})"
        if obstacle.reason in _AGAINST_IT:
            return _fact(obstacle, past=self._up)
        if self._is_other_excerpt:
            return "other parts of it matter now"
        return f"{self._outcome}: {self._despite_its_score(' and '.join(self._others()))}"

    @property
    def _up(self) -> bool:
        """Whether it came in or is sent longer."""
        sent = [_tokens(item) for item in (self.before, self.after)]
        return sent[1] > sent[0] if sent[0] != sent[1] else self.before.decision is Decision.LEFT_OUT

    @property
    def _both_in_full(self) -> bool:
        return self.before.decision is self.after.decision is Decision.FULL

    @property
    def _competes(self) -> bool:
        """Whether room for it is what it lacked before, or lacks now."""
        poorer, other = (self.before, self.after) if self._up else (self.after, self.before)
        lacking = poorer.reason is Reason.NO_ROOM or poorer.decision is Decision.REDUCED
        return lacking and other.reason not in REQUIRED

    @property
    def _is_other_excerpt(self) -> bool:
        """Of a file there is one excerpt at a time, and what it keeps depends on who else is asked for."""
        both_reduced = self.before.decision is self.after.decision is Decision.REDUCED
        return both_reduced and self.after.source is not None and self.after.source.kind is SourceKind.REFERENCE_FILE

    @property
    def _outcome(self) -> str:
        if self.after.decision is Decision.LEFT_OUT:
            return "crowded out"
        if self.before.decision is Decision.LEFT_OUT:
            return "there is room for it now"
        return "there is room for more of it now" if self._up else "cut short"

    @property
    def _lengths(self) -> str:
        return f"{self.before.tokens_in_full:,} -> {self.after.tokens_in_full:,} tokens in full"

    def _reasons(self) -> Iterator[str]:
        """What was decided about it by a rule, before or now."""
        if self.before.reason is self.after.reason:
            return
        past, present = (_AGAINST_IT, _FOR_IT) if self._up else (_FOR_IT, _AGAINST_IT)
        if self.before.reason in past and not _goes_without_saying(self.before):
            yield _fact(self.before, past=True)
        if self.after.reason in present and not _goes_without_saying(self.after):
            yield _fact(self.after, past=False)

    def _found_evidence(self) -> Iterator[str]:
        if self.before.reason in _SCORED and self.after.reason in _SCORED:
            yield from _named("new evidence", _evidence(self.after), _evidence(self.before))

    def _lost_evidence(self) -> Iterator[str]:
        if self.before.reason in _SCORED | _FOR_IT.keys() and self.after.reason in _SCORED:
            yield from _named("no longer in evidence", _evidence(self.before), _evidence(self.after))

    def _score(self) -> Iterator[str]:
        growth = self._score_growth
        if growth and (growth > 0) is self._up:
            yield self._moved_score(growth)

    def _despite_its_score(self, others: str) -> str:
        growth = self._score_growth
        if growth is None:
            return others
        return f"{others}, although {self._moved_score(growth)}" if growth else f"its score is unchanged, {others}"

    @property
    def _score_growth(self) -> float | None:
        """None where it has not been weighed both times."""
        if not {self.before.reason, self.after.reason} <= _SCORED:
            return None
        return round(self.after.score, _SCORE_PLACES) - round(self.before.score, _SCORE_PLACES)

    def _moved_score(self, growth: float) -> str:
        """With as few decimal places as show the difference."""
        shown = ((f"{self.before.score:.{places}f}", f"{self.after.score:.{places}f}") for places in range(2, _SCORE_PLACES + 1))
        before, after = next(pair for pair in shown if pair[0] != pair[1])
        return f"its score {'rose' if growth > 0 else 'fell'} from {before} to {after}"

    def _text(self) -> Sequence[str]:
        """Lengths tell only if both were measured on what would be sent, and by the same tokenizer."""
        measured = {self.before.reason, self.after.reason} <= _MEASURED
        alike = self.before.tokens_in_full == self.after.tokens_in_full
        if alike or not measured or not self.circumstances.counted_alike or self._is_same_version:
            return ()
        what = "text" if self.before.label == self.after.label else "name or text"
        return (f"its {what} changed ({self._lengths})",)

    @property
    def _is_same_version(self) -> bool:
        """A version never changes, although it may be headed and measured in another way as it gets further away."""
        if self.after.source is None or self.after.source.kind is not SourceKind.CHAPTER_VERSION:
            return False
        is_summary = self.after.group == Section.STORY_SO_FAR.group
        return self.before.source == self.after.source and not is_summary

    def _budget(self) -> Iterator[str]:
        """Unless what must be sent has taken more than the budget gave."""
        grown = self.circumstances.budget
        room = grown - self.circumstances.required_tokens
        if grown and (grown > 0) is self._up and (room > 0) is self._up:
            yield f"the budget {'grew' if grown > 0 else 'shrank'} by {_counted(abs(grown))}"

    def _counting(self) -> Sequence[str]:
        if self.circumstances.counted_alike:
            return ()
        before, after = self.circumstances.before, self.circumstances.after
        return (f"tokens are counted by {after.tokenizer} instead of {before.tokenizer}",)

    def _others(self) -> Iterator[str]:
        required = self.circumstances.required_tokens
        pushes = required < 0 if self._up else required > 0
        if pushes:
            yield f"what must be sent takes {_counted(abs(required))} {'less' if self._up else 'more'}"
        if self._up and self.circumstances.others_lost:
            yield "others take less now"
        elif not self._up and self.circumstances.others_gained:
            yield "others are worth more now"
        elif not pushes:
            yield "more room is left" if self._up else "less room is left"


def _tokens(item: PromptItem) -> int:
    return 0 if item.decision is Decision.LEFT_OUT else item.tokens


def _counted(tokens: int) -> str:
    return f"{tokens:,} token{'' if tokens == 1 else 's'}"


def _named(what: str, those: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    if found := [text for text in those if text not in others]:
        yield f"{what}: {', '.join(found)}"


def _evidence(item: PromptItem) -> Sequence[str]:
    """What spoke for it. What a rule says of it stands in the evidence too, and first, but speaks for itself."""
    if item.reason in _CHOSEN:
        return item.evidence
    return item.evidence[1:] if item.reason in _FOR_IT else ()


def _goes_without_saying(item: PromptItem) -> bool:
    """That nothing connected it says no more than the evidence that was found since."""
    return item.reason is Reason.NOT_RELEVANT and not item.evidence


def _fact(item: PromptItem, *, past: bool) -> str:
    told = {**_FOR_IT, **_AGAINST_IT}[item.reason][0 if past else 1]
    return f"{told} ({item.evidence[0]})" if item.reason in _DETAILED and item.evidence else told
