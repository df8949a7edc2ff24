"""What stands beside speech to say who speaks: plain tags, tags with an adverb, and verbs that draw attention to themselves."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.assessing.assessment import FindingCategory, FoundIssue
from domain.assessing.metrics.metric import Better, Measured, Metric
from domain.assessing.metrics.pointing import MOST_FINDINGS, point
from domain.assessing.metrics.reading import Reading
from domain.assessing.metrics.word_lists import english
from domain.assessing.quotes import Place
from domain.prompting.material import PromptMaterial

FEWEST_TAGS = 8
REACH = 80
"""Characters beside speech in which a tag is looked for."""

LATEST_VERB = 3
"""Words that may stand before the verb, as in "the old man said"."""

_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019\-][^\W\d_]+)*")
_BEHIND = re.compile(r"[\s,]*([^.,;:!?…\"“”«»—\u2013\n]*)")
_BEFORE = re.compile(r"(?:^|[.;!?…”\"»\n,])\s*([^.,;:!?…\"“”«»—\u2013\n]*)[,:]\s*$")
_PRONOUNS = frozenset({"he", "she", "they", "it", "we", "you"})
_BEGINNINGS = _PRONOUNS | {"i", "the", "his", "her", "my", "their", "our", "a", "an", "one", "another", "somebody", "someone"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """Where the tag, its verb and its adverb stand in the text; `adverb` is None where it has none."""

    place: Place
    verb: Place
    adverb: Place | None
    bookish: bool


def tags_of(reading: Reading) -> list[Tag]:
    """In reading order. A beat such as "She smiled." is no tag, and a tag between two speeches is one."""
    return list(_tags(reading))


def _tags(reading: Reading) -> Iterator[Tag]:
    behind = 0
    for speech in reading.speech:
        if before := _tag_before(reading, speech, behind):
            yield before
        after = _tag_behind(reading, speech)
        if after:
            yield after
        behind = after.place.end if after else speech.end


def _tag_behind(reading: Reading, speech: Place) -> Tag | None:
    """Not behind a full stop, and not where a new sentence begins."""
    text = reading.text
    last = text[speech.end - 2 : speech.end - 1]
    if last in {".", ""} or "\n" in text[speech.end : speech.end + 1]:
        return None
    match = _BEHIND.match(text, speech.end, speech.end + REACH)
    words = list(_TOKEN.finditer(text, match.start(1), match.end(1)))[: LATEST_VERB + 5] if match else []
    if not words or (last in "?!…" and words[0][0].lower() in _BEGINNINGS and words[0][0] != "I" and words[0][0][0].isupper()):
        return None
    return _tag(words, begins=True)


def _tag_before(reading: Reading, speech: Place, behind: int) -> Tag | None:
    """Of `She said softly, “Go.”`; `behind`: the end of what was read already."""
    match = _BEFORE.search(reading.text, max(behind, speech.start - REACH), speech.start)
    words = list(_TOKEN.finditer(reading.text, match.start(1), match.end(1)))[-LATEST_VERB - 2 :] if match else []
    return _tag(words, begins=False) if len(words) > 1 else None


def _tag(words: Sequence[re.Match[str]], *, begins: bool) -> Tag | None:
    plain, bookish = english("said_plainly"), english("said_bookish")
    lowered = [word[0].lower() for word in words]
    verbs = [index for index, word in enumerate(lowered[: LATEST_VERB + 1]) if word in plain or word in bookish]
    if not verbs or not _has_subject(words, verbs[0], begins=begins):
        return None
    verb = verbs[0]
    near = (*range(verb + 1, min(verb + 4, len(words))), *range(max(0, verb - 1), verb))
    adverb = next((index for index in near if _is_adverb(words[index][0])), None)
    last = max(verb, adverb or 0, 1 if verb == 0 else 0)
    return Tag(
        place=Place(words[0].start(), words[last].end()),
        verb=Place(*words[verb].span()),
        adverb=None if adverb is None else Place(*words[adverb].span()),
        bookish=lowered[verb] in bookish,
    )


def _has_subject(words: Sequence[re.Match[str]], verb: int, *, begins: bool) -> bool:
    """Before the verb, as in "the old man said"; or, where the tag begins with it, behind: "said Mary"."""
    if verb == 0:
        return begins and len(words) > 1 and _is_somebody(words[1])
    return _is_somebody(words[0])


def _is_somebody(word: re.Match[str]) -> bool:
    return word[0].lower() in _BEGINNINGS or word[0][0].isupper()


def _is_adverb(word: str) -> bool:
    """A capital makes it a name, such as Lily."""
    return word.endswith("ly") and word.islower() and word not in english("not_adverbs")


def _adverb_tags(reading: Reading, _: PromptMaterial) -> Measured | None:
    tags = tags_of(reading)
    if len(tags) < FEWEST_TAGS:
        return None
    with_adverb = [tag for tag in tags if tag.adverb]
    return Measured(100 * len(with_adverb) / len(tags), tuple(_adverb_finding(reading, tag) for tag in with_adverb[:MOST_FINDINGS]))


def _adverb_finding(reading: Reading, tag: Tag) -> FoundIssue:
    text, adverb = reading.text, tag.adverb or tag.verb
    without = f"{text[tag.place.start : adverb.start]}{text[adverb.end : tag.place.end].lstrip()}".rstrip()
    return point(
        reading,
        tag.place.start,
        tag.place.end,
        message=f"“{text[adverb.start : adverb.end]}” says how this is spoken.",
        suggestion="Let the words themselves be heard that way, and drop the adverb.",
        category=FindingCategory.DIALOGUE,
        replacement=without,
    )


def _said_bookisms(reading: Reading, _: PromptMaterial) -> Measured | None:
    tags = tags_of(reading)
    if len(tags) < FEWEST_TAGS:
        return None
    bookish = [tag for tag in tags if tag.bookish]
    return Measured(100 * len(bookish) / len(tags), tuple(_bookish_finding(reading, tag) for tag in bookish[:MOST_FINDINGS]))


def _bookish_finding(reading: Reading, tag: Tag) -> FoundIssue:
    verb = reading.text[tag.verb.start : tag.verb.end]
    return point(
        reading,
        tag.verb.start,
        tag.verb.end,
        message=f"“{verb}” draws attention from what is said to how it is said.",
        suggestion="Use “said”, or show what the speaker does.",
        category=FindingCategory.DIALOGUE,
    )


DIALOGUE_METRICS = (
    Metric(
        name="adverbTags",
        unit="% of speech tags",
        description="How many speech tags carry an adverb, as in “she said softly”.",
        better=Better.LOWER,
        noise=4.0,
        take=_adverb_tags,
        english_only=True,
    ),
    Metric(
        name="saidBookisms",
        unit="% of speech tags",
        description="How many speech tags use a showy verb, as in “he opined”.",
        better=Better.LOWER,
        noise=5.0,
        take=_said_bookisms,
        english_only=True,
    ),
)
