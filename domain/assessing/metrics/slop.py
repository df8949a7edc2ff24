"""What gives a language model away: its favourite words, its favourite phrases, and the contrast it cannot leave alone."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from domain.assessing.assessment import FindingCategory, FindingSeverity, FoundIssue
from domain.assessing.metrics.metric import Better, Measured, Metric
from domain.assessing.metrics.pointing import MOST_FINDINGS, per_thousand, point, span
from domain.assessing.metrics.reading import Reading, Sentence
from domain.assessing.metrics.word_lists import slop_phrases, slop_words
from domain.assessing.quotes import Place
from domain.prompting.material import PromptMaterial

FEWEST_WORDS = 100
SHORT_FRAGMENT = 6
SHORT_ANSWER = 10
WORDS_TO_A_SIGN = 20

_WITHIN = r"[^.!?;\n]"
_CONTRASTS = {
    "not": re.compile(
        rf"not\s+(?:just|merely|simply)\s{_WITHIN}{{1,90}}?(?:\bbut\b|[,—\u2013]\s*(?:it|he|she|they|this|that)(?:\s+(?:was|were|is|are)|['\u2019][sr]))"
        rf"|not\s+(a|an|the|from|with|in|out|because|for|to|by|as|of|at|on|through|like|about|when|how|what|his|her|my)\s{_WITHIN}{{1,60}}?"
        r"\bbut\s+(?:rather\s+)?\1\b",
        re.IGNORECASE,
    ),
    "less": re.compile(rf"less\s+(?:a|an|like|of|from|because|about|out)\s{_WITHIN}{{1,60}}?\bthan\b", re.IGNORECASE),
    "no": re.compile(
        rf"no\s+longer\s{_WITHIN}{{1,60}}?(?:[,—\u2013]\s*but\b|[.;—\u2013]\s*(?:now\s+)?(?:it|he|she|they)\s+(?:was|were|is|are)\b)",
        re.IGNORECASE,
    ),
}
_DENIED_AND_REPLACED = re.compile(
    rf"(?:(?:was|is|were|are)n['\u2019]t|not)\s{_WITHIN}{{1,50}}?[.;—,\u2013]+[^\S\n]*(it|he|she|they|this|that)(?:\s(?:was|were|is|are)|['\u2019](?:s|re))\b"
    r"(?!\s+not)",
    re.IGNORECASE,
)
_PRONOUNS = frozenset({"it", "he", "she", "they", "this", "that", "i", "we", "you", "there"})
_BE = frozenset({"was", "is", "were", "are"})
_DENIED_BE = frozenset({"wasn't", "isn't", "weren't", "aren't"})
_PLAIN_ANSWERS = frozenset("yet now today here really exactly quite at if that so until when even for".split())  # noqa: SIM905


def _slop_words(reading: Reading, _: PromptMaterial) -> Measured | None:
    if len(reading.words) < FEWEST_WORDS:
        return None
    listed = slop_words()
    places = [index for index, word in enumerate(reading.words) if word in listed]
    often = Counter(reading.words[index] for index in places)
    # The words that are used most come first, for a reader notices them.
    telling = sorted(places, key=lambda index: (-often[reading.words[index]], index))[:MOST_FINDINGS]
    findings = tuple(_slop_word(reading, index, often[reading.words[index]]) for index in telling)
    return Measured(per_thousand(len(places), len(reading.words)), findings)


def _slop_word(reading: Reading, index: int, count: int) -> FoundIssue:
    times = f", {count} times in this text" if count > 1 else ""
    return point(
        reading,
        *span(reading, index, index + 1),
        message=f"“{reading.raw[index]}” is a word that language models overuse{times}.",
        suggestion="Use a plainer word, or the thing itself that is seen or heard here.",
        category=FindingCategory.STYLE,
    )


def _slop_phrases(reading: Reading, _: PromptMaterial) -> Measured | None:
    if len(reading.words) < FEWEST_WORDS:
        return None
    places = list(_phrase_places(reading))
    findings = tuple(
        point(
            reading,
            *span(reading, first, last),
            message=f"“{' '.join(reading.raw[first:last])}” is a phrase that language models write all the time.",
            suggestion="Say what is particular to this moment, or cut it.",
            category=FindingCategory.STYLE,
        )
        for first, last in sorted(places, key=lambda place: (place[0] - place[1], place[0]))[:MOST_FINDINGS]
    )
    return Measured(per_thousand(len(places), len(reading.words)), findings)


def _phrase_places(reading: Reading) -> Iterator[tuple[int, int]]:
    """Words of each phrase, from first to before last; where phrases overlap, the first of them."""
    phrases, words = slop_phrases(), reading.words
    free = 0
    for index, pair in enumerate(pairwise(words)):
        if index < free or pair not in phrases:
            continue
        for phrase in phrases[pair]:
            if tuple(words[index : index + len(phrase)]) == phrase:
                free = index + len(phrase)
                yield index, free
                break


def _contrasts(reading: Reading, _: PromptMaterial) -> Measured | None:
    """By surface forms: "not just X but Y", "not a X but a Y", "it wasn't X. It was Y", "less like X than Y", "no longer X, but Y", and
    the bare "Not X. Y." of narration.
    """
    if len(reading.words) < FEWEST_WORDS:
        return None
    places = list(_apart(sorted([*_contrasting(reading), *_fragments(reading)])))
    findings = tuple(
        point(
            reading,
            start,
            end,
            message="This says what something is not in order to say what it is.",
            suggestion="Say only what it is.",
            category=FindingCategory.STYLE,
        )
        for start, end in places[:MOST_FINDINGS]
    )
    return Measured(per_thousand(len(places), len(reading.words)), findings)


def _contrasting(reading: Reading) -> Iterator[tuple[int, int]]:
    for index, word in enumerate(reading.words):
        if word in _CONTRASTS and (match := _CONTRASTS[word].match(reading.text, reading.starts[index])):
            yield match.span()
        elif (at := _denied_subject(reading.words, index)) is not None and (
            match := _DENIED_AND_REPLACED.match(reading.text, reading.starts[index])
        ):
            subject, again = reading.words[at], match[1].lower()
            # "He was not ready. She was" speaks of two people.
            if subject == again or subject not in _PRONOUNS or {subject, again} <= {"it", "this", "that"}:
                yield reading.starts[at], match.end()


def _denied_subject(words: Sequence[str], index: int) -> int | None:
    """Which word stands before "wasn't" or "was not", when that ends here."""
    if words[index] in _DENIED_BE and index:
        return index - 1
    return index - 2 if words[index] == "not" and index > 1 and words[index - 1] in _BE else None


def _fragments(reading: Reading) -> Iterator[tuple[int, int]]:
    """Such as "Not fear. Something older."."""
    for sentence, following in pairwise(reading.told_sentences()):
        first = sentence.first_word
        is_short = 1 < sentence.length <= SHORT_FRAGMENT and following.length <= SHORT_ANSWER
        if is_short and reading.words[first] == "not" and reading.words[first + 1] not in _PLAIN_ANSWERS and _adjoin(sentence, following):
            yield sentence.start, following.end


def _adjoin(sentence: Sentence, following: Sentence) -> bool:
    return following.first_word == sentence.last_word and following.paragraph == sentence.paragraph


def _apart(places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Without those that overlap an earlier one."""
    free = 0
    for start, end in places:
        if start >= free:
            free = end
            yield start, end


def _slop_sentences(reading: Reading, _: PromptMaterial) -> Measured | None:
    """Sentences with two different ones of these words, phrases and contrasts or more, and at least one in twenty words."""
    if len(reading.words) < FEWEST_WORDS:
        return None
    signs: dict[Sentence, set[str]] = {}
    for word, sign in _signs(reading):
        signs.setdefault(reading.sentence_of(word), set()).add(sign)
    crowded = [
        (len(each), sentence) for sentence, each in signs.items() if len(each) > 1 and len(each) * WORDS_TO_A_SIGN >= sentence.length
    ]
    findings = tuple(
        point(
            reading,
            sentence.start,
            sentence.end,
            message=f"This sentence has {count} of the words and turns that language models overuse.",
            suggestion="Ask what somebody there would see, hear or do, and write that; or cut the sentence.",
            category=FindingCategory.STYLE,
            severity=FindingSeverity.MINOR,
        )
        for count, sentence in sorted(crowded, key=lambda each: (-each[0], each[1].start))[:MOST_FINDINGS]
    )
    return Measured(per_thousand(len(crowded), len(reading.words)), findings)


def _signs(reading: Reading) -> Iterator[tuple[int, str]]:
    """The first word of each, and what tells it from others. A listed word within a listed phrase counts once."""
    covered = bytearray(len(reading.words))
    for first, last in _phrase_places(reading):
        covered[first:last] = b"\x01" * (last - first)
        yield first, " ".join(reading.words[first:last])
    listed = slop_words()
    for index, word in enumerate(reading.words):
        if word in listed and not covered[index]:
            yield index, word
    for start, end in [*_contrasting(reading), *_fragments(reading)]:
        yield reading.words_within(Place(start, end))[0], "not this but that"


SLOP_METRICS = (
    Metric(
        name="slopWords",
        unit="per 1,000 words",
        description="How many words are among those that language models overuse.",
        better=Better.LOWER,
        noise=1.0,
        take=_slop_words,
        english_only=True,
    ),
    Metric(
        name="slopPhrases",
        unit="per 1,000 words",
        description="How many phrases are among those that language models write all the time.",
        better=Better.LOWER,
        noise=0.5,
        take=_slop_phrases,
        english_only=True,
    ),
    Metric(
        name="contrasts",
        unit="per 1,000 words",
        description="How often the text says “not this but that”.",
        better=Better.LOWER,
        noise=0.5,
        take=_contrasts,
        english_only=True,
    ),
    Metric(
        name="slopSentences",
        unit="per 1,000 words",
        description="How many sentences have two or more of these words, phrases and contrasts at once.",
        better=Better.LOWER,
        noise=0.3,
        take=_slop_sentences,
        english_only=True,
    ),
)
