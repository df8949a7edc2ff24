"""How a text moves: the lengths of its sentences and paragraphs, how they begin, how much is spoken, where it dashes."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import fmean, pstdev

from domain.assessing.assessment import FindingCategory, FoundIssue
from domain.assessing.metrics.metric import Better, Measured, Metric
from domain.assessing.metrics.pointing import MOST_FINDINGS, per_thousand, point, stretch
from domain.assessing.metrics.reading import Paragraph, Reading, Sentence
from domain.prompting.material import PromptMaterial

FEWEST_SENTENCES = 10
FEWEST_PARAGRAPHS = 5
FEWEST_WORDS = 100
LONG_SENTENCE = 60
LONG_PARAGRAPH = 300
EVEN_RUN = 6
"""So many sentences of nearly one length in a row make a drone."""

EVEN_WITHIN = 2
RUN_OF_PARAGRAPHS = 3
RUN_OF_OPENERS = 3
SAME_OPENINGS = 4
OPENING_WORDS = 3
MANY_DASHES = 3

_DASH = re.compile(r"—|―|(?<=\s)–(?=\s)|(?<!-)--(?!-)")  # noqa: RUF001  - dashes as typed


def _sentence_length(reading: Reading, _: PromptMaterial) -> Measured | None:
    if len(reading.sentences) < FEWEST_SENTENCES:
        return None
    longest = sorted((each for each in reading.sentences if each.length > LONG_SENTENCE), key=lambda each: -each.length)
    findings = tuple(
        point(
            reading,
            sentence.start,
            sentence.end,
            message=f"This sentence has {sentence.length} words.",
            suggestion="Read it aloud; where you run out of breath, end it and begin another.",
            category=FindingCategory.STYLE,
        )
        for sentence in longest[:MOST_FINDINGS]
    )
    return Measured(fmean(each.length for each in reading.sentences), findings)


def _sentence_variation(reading: Reading, _: PromptMaterial) -> Measured | None:
    """Standard deviation (of the population) divided by the mean."""
    lengths = [each.length for each in reading.sentences]
    if len(lengths) < FEWEST_SENTENCES:
        return None
    findings = tuple(
        point(
            reading,
            *stretch(run),
            message=f"{len(run)} sentences in a row are about {fmean(each.length for each in run):.0f} words long.",
            suggestion="Join two of them, or cut one short, so that the rhythm changes.",
            category=FindingCategory.STYLE,
        )
        for run in sorted(_even_runs(reading.sentences), key=len, reverse=True)[:MOST_FINDINGS]
    )
    return Measured(pstdev(lengths) / fmean(lengths), findings)


def _even_runs(sentences: Sequence[Sentence]) -> Iterator[Sequence[Sentence]]:
    """Longest stretches of told and spoken sentences whose lengths lie within two words of each other; they do not overlap."""
    begin, low, high = 0, 0, 0
    for index, sentence in enumerate(sentences):
        low, high = (min(low, sentence.length), max(high, sentence.length)) if index > begin else (sentence.length, sentence.length)
        if high - low > EVEN_WITHIN:
            if index - begin >= EVEN_RUN:
                yield sentences[begin:index]
            begin, low, high = index, sentence.length, sentence.length
    if len(sentences) - begin >= EVEN_RUN:
        yield sentences[begin:]


def _paragraph_length(reading: Reading, _: PromptMaterial) -> Measured | None:
    paragraphs = _with_words(reading)
    if len(paragraphs) < FEWEST_PARAGRAPHS:
        return None
    longest = sorted((each for each in paragraphs if _length(each) > LONG_PARAGRAPH), key=_length, reverse=True)
    findings = tuple(
        point(
            reading,
            paragraph.start,
            paragraph.end,
            message=f"This paragraph has {_length(paragraph)} words.",
            suggestion="Begin a new one where the attention turns.",
            category=FindingCategory.STYLE,
        )
        for paragraph in longest[:MOST_FINDINGS]
    )
    return Measured(len(reading.words) / len(paragraphs), findings)


def _single_sentences(reading: Reading, _: PromptMaterial) -> Measured | None:
    """Speech is left out: a line of dialogue is often one sentence, and should be."""
    paragraphs = _with_words(reading)
    if len(paragraphs) < FEWEST_PARAGRAPHS:
        return None
    runs = [list(run) for single, run in groupby(paragraphs, key=lambda each: _is_single(reading, each)) if single]
    findings = tuple(
        point(
            reading,
            run[0].start,
            run[-1].end,
            message=f"{len(run)} paragraphs in a row are a single sentence each.",
            suggestion="Keep the one that deserves to stand alone and join the others.",
            category=FindingCategory.STYLE,
        )
        for run in sorted(runs, key=len, reverse=True)[:MOST_FINDINGS]
        if len(run) >= RUN_OF_PARAGRAPHS
    )
    return Measured(100 * sum(map(len, runs)) / len(paragraphs), findings)


def _with_words(reading: Reading) -> list[Paragraph]:
    return [each for each in reading.paragraphs if each.last_word > each.first_word]


def _length(paragraph: Paragraph) -> int:
    return paragraph.last_word - paragraph.first_word


def _is_single(reading: Reading, paragraph: Paragraph) -> bool:
    is_one = paragraph.last_sentence - paragraph.first_sentence == 1
    return is_one and 1 not in reading.spoken[paragraph.first_word : paragraph.last_word]


def _dialogue_share(reading: Reading, _: PromptMaterial) -> Measured | None:
    if len(reading.words) < FEWEST_WORDS:
        return None
    return Measured(100 * sum(reading.spoken) / len(reading.words))


def _same_openers(reading: Reading, _: PromptMaterial) -> Measured | None:
    """Sentences whose first word is that of the sentence before, spoken ones left out on either side."""
    told = list(reading.told_sentences())
    if len(told) < FEWEST_SENTENCES:
        return None
    runs = _opener_runs(reading, told)
    repeated = sum(len(run) - 1 for run in runs)
    findings = tuple(
        point(
            reading,
            *stretch(run),
            message=f"{len(run)} sentences in a row begin with “{reading.raw[run[0].first_word]}”.",
            suggestion="Begin one of them with what is seen or done, or join two.",
            category=FindingCategory.STYLE,
        )
        for run in sorted(runs, key=len, reverse=True)[:MOST_FINDINGS]
        if len(run) >= RUN_OF_OPENERS
    )
    return Measured(100 * repeated / len(told), findings)


def _opener_runs(reading: Reading, told: Sequence[Sentence]) -> list[list[Sentence]]:
    """Of sentences that follow one another in the text as well, not only among the told ones."""
    runs: list[list[Sentence]] = []
    for sentence in told:
        before = runs[-1][-1] if runs else None
        opener = reading.words[sentence.first_word]
        if before and before.last_word == sentence.first_word and reading.words[before.first_word] == opener:
            runs[-1].append(sentence)
        else:
            runs.append([sentence])
    return runs


def _same_openings(reading: Reading, _: PromptMaterial) -> Measured | None:
    """Sentences whose first three words also open another sentence, told or spoken."""
    sentences = [each for each in reading.sentences if each.length >= OPENING_WORDS]
    if len(sentences) < FEWEST_SENTENCES:
        return None
    openings: dict[tuple[str, ...], list[Sentence]] = defaultdict(list)
    for sentence in sentences:
        openings[tuple(reading.words[sentence.first_word : sentence.first_word + OPENING_WORDS])].append(sentence)
    shared = sorted((group for group in openings.values() if len(group) > 1), key=len, reverse=True)
    findings = tuple(_opening_finding(reading, group) for group in shared[:MOST_FINDINGS] if len(group) >= SAME_OPENINGS)
    return Measured(100 * sum(map(len, shared)) / len(sentences), findings)


def _opening_finding(reading: Reading, group: Sequence[Sentence]) -> FoundIssue:
    last = group[-1]
    end = reading.ends[last.first_word + OPENING_WORDS - 1]
    opening = reading.text[reading.starts[last.first_word] : end]
    return point(
        reading,
        reading.starts[last.first_word],
        end,
        message=f"{len(group)} sentences begin with “{opening}”; this is the last of them.",
        suggestion="Let some of them begin differently.",
        category=FindingCategory.STYLE,
    )


def _em_dashes(reading: Reading, _: PromptMaterial) -> Measured | None:
    """A dash that opens a paragraph is a mark of speech and is not counted."""
    if len(reading.words) < FEWEST_WORDS:
        return None
    openings = {each.start for each in reading.paragraphs}
    places = [match.start() for match in _DASH.finditer(reading.text) if match.start() not in openings]
    crowded = [(count, sentence) for sentence, count in _by_sentence(reading, places) if count >= MANY_DASHES]
    findings = tuple(
        point(
            reading,
            sentence.start,
            sentence.end,
            message=f"This sentence has {count} dashes.",
            suggestion="Keep the dashes that interrupt; use commas, a full stop or brackets for the others.",
            category=FindingCategory.STYLE,
        )
        for count, sentence in sorted(crowded, key=lambda each: -each[0])[:MOST_FINDINGS]
    )
    return Measured(per_thousand(len(places), len(reading.words)), findings)


def _by_sentence(reading: Reading, places: Sequence[int]) -> Iterator[tuple[Sentence, int]]:
    index = 0
    for sentence in reading.sentences:
        first = index
        while index < len(places) and places[index] < sentence.end:
            index += 1
        if index > first:
            yield sentence, index - first


RHYTHM_METRICS = (
    Metric(
        name="sentenceLength",
        unit="words",
        description="How long a sentence is on average.",
        better=Better.TYPICAL,
        noise=1.0,
        take=_sentence_length,
        by_words=True,
    ),
    Metric(
        name="sentenceVariation",
        unit="ratio",
        description="How much sentences differ in length: 0 if all were equally long, about 0.7 in most novels.",
        better=Better.HIGHER,
        noise=0.05,
        take=_sentence_variation,
    ),
    Metric(
        name="paragraphLength",
        unit="words",
        description="How long a paragraph is on average.",
        better=Better.TYPICAL,
        noise=8.0,
        take=_paragraph_length,
        by_words=True,
    ),
    Metric(
        name="singleSentenceParagraphs",
        unit="% of paragraphs",
        description="How many paragraphs are one sentence of narration standing alone.",
        better=Better.LOWER,
        noise=3.0,
        take=_single_sentences,
    ),
    Metric(
        name="dialogueShare",
        unit="% of words",
        description="How much of the text is spoken by somebody.",
        better=Better.TYPICAL,
        noise=5.0,
        take=_dialogue_share,
    ),
    Metric(
        name="sameOpeners",
        unit="% of sentences",
        description="How many sentences of narration begin with the same word as the one before.",
        better=Better.LOWER,
        noise=2.0,
        take=_same_openers,
        by_words=True,
    ),
    Metric(
        name="sameOpenings",
        unit="% of sentences",
        description="How many sentences begin with the same three words as another one.",
        better=Better.LOWER,
        noise=2.0,
        take=_same_openings,
        by_words=True,
    ),
    Metric(
        name="emDashes",
        unit="per 1,000 words",
        description="How many dashes break into sentences.",
        better=Better.LOWER,
        noise=1.5,
        take=_em_dashes,
    ),
)
