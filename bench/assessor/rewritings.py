"""Damages that rewrite what stands there: names, tense, person, tags of dialogue."""

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

from bench.assessor.damage import (
    INSERTIONS,
    Damaged,
    cast_of,
    is_woman,
    named_in,
    paragraphs_of,
)
from bench.assessor.originals import Original
from bench.assessor.retelling_tense import in_present
from domain.assessing.metrics.reading import Paragraph, Reading
from domain.assessing.quotes import Place
from domain.projects import PointOfView


def swapped_name(original: Original, random: Random) -> Damaged | None:
    """In three paragraphs in a row, somebody goes by the name of another of the cast."""
    _reading, paragraphs = paragraphs_of(original)
    named = named_in(original)
    by_id = {each.file.id: each for each in cast_of(original)}
    windows = []
    for first, last in zip(paragraphs, paragraphs[2:], strict=False):
        for file_id, places in named.items():
            inside = [place for place in places if first.start <= place[0] < last.end]
            if len(inside) >= 2 and by_id[file_id].file.name[0].isupper():
                windows.append((file_id, inside))
    others = [each for each in by_id.values() if each.file.name[0].isupper() and each.file.name != ""]
    if not windows or len(others) < 2:
        return None
    file_id, inside = random.choice(windows)
    candidates = [each for each in others if each.file.id != file_id and is_woman(each) == is_woman(by_id[file_id])] or others
    other = random.choice([each for each in candidates if each.file.id != file_id])
    text, places, shift = original.text, [], 0
    for start, end, _ in inside:
        text = text[: start + shift] + other.file.name + text[end + shift :]
        places.append(Place(start + shift, start + shift + len(other.file.name)))
        shift += len(other.file.name) - (end - start)
    return Damaged(kind="swapped name", original=original, text=text, material=original.material, places=tuple(places))


def tense_shift(original: Original, random: Random) -> Damaged | None:
    """One paragraph or two, told in the past, go over into the present."""
    reading, paragraphs = paragraphs_of(original, told_words=70)
    pasts = {"was", "had", "were", "did", "said", "went", "came", "took", "could", "would"}
    told = [each for each in paragraphs if sum(reading.words[word] in pasts for word in range(each.first_word, each.last_word)) >= 4]
    if not told:
        return None
    first = random.randrange(len(told))
    chosen = told[first : first + random.choice((1, 2))]
    if len(chosen) == 2 and reading.paragraphs.index(chosen[1]) - reading.paragraphs.index(chosen[0]) > 1:
        chosen = chosen[:1]
    return _rewritten(original, "tense shift", reading, chosen, in_present)


def _rewritten(
    original: Original,
    kind: str,
    reading: Reading,
    paragraphs: Sequence[Paragraph],
    rewrite: Callable[[str, Sequence[tuple[int, int]]], str],
) -> Damaged | None:
    text, places, shift = original.text, [], 0
    for paragraph in paragraphs:
        before = original.text[paragraph.start : paragraph.end]
        spoken = [
            (place.start - paragraph.start, place.end - paragraph.start)
            for place in reading.speech
            if paragraph.start <= place.start < paragraph.end
        ]
        borders = [0, *(border for place in spoken for border in place), len(before)]
        told = list(zip(borders[::2], borders[1::2], strict=True))
        after = rewrite(before, told)
        text = text[: paragraph.start + shift] + after + text[paragraph.end + shift :]
        places.append(Place(paragraph.start + shift, paragraph.start + shift + len(after)))
        shift += len(after) - len(before)
    if text == original.text:
        return None
    return Damaged(kind=kind, original=original, text=text, material=original.material, places=tuple(places))


def point_of_view_slip(original: Original, random: Random) -> Damaged | None:
    """A paragraph about somebody is told by that somebody; in a book told in the first person, the narrator becomes he."""
    reading, paragraphs = paragraphs_of(original, told_words=60)
    is_first = original.material.project.point_of_view is PointOfView.FIRST
    subjects = ({"i"},) if is_first else ({"he"}, {"she"})

    def count(paragraph: Paragraph, of: set[str]) -> int:
        return sum(reading.words[word] in of and not reading.spoken[word] for word in range(paragraph.first_word, paragraph.last_word))

    fitting = [(each, of) for each in paragraphs for of in subjects if count(each, of) >= 3]
    if not fitting:
        return None
    paragraph, of = random.choice(fitting)
    table = _TO_HE if is_first else _TO_I["he" if "he" in of else "she"]
    narrator = original.material.chapter.point_of_view_character

    def rewrite(text: str, told: Sequence[tuple[int, int]]) -> str:
        changed = _by_table(text, told, table)
        return changed.replace("He ", f"{narrator} ", 1) if is_first and narrator else changed

    return _rewritten(original, "point-of-view slip", reading, [paragraph], rewrite)


_TO_I: Mapping[str, Mapping[str, str]] = {
    "he": {"he": "I", "him": "me", "his": "my", "himself": "myself"},
    "she": {"she": "I", "her": "my", "hers": "mine", "herself": "myself"},
}
_TO_HE: Mapping[str, str] = {
    "i": "he",
    "me": "him",
    "my": "his",
    "myself": "himself",
    "mine": "his",
    "am": "is",
    "we": "they",
    "our": "their",
    "us": "them",
}


def _by_table(text: str, told: Sequence[tuple[int, int]], table: Mapping[str, str]) -> str:
    def changed(match: re.Match[str]) -> str:
        word = match[0]
        new = table.get(word.lower())
        if new is None or not any(start <= match.start() < end for start, end in told):
            return word
        if word.lower() == "her" and not re.match(r"\s+[a-z]", text[match.end() :]):
            new = "me"
        begins = match.start() == 0 or text[: match.start()].rstrip()[-1:] in set(".!?")
        return new.capitalize() if begins and new != "I" else new

    return re.sub(r"[A-Za-z]+", changed, text)


def inflated_tags(original: Original, random: Random) -> Damaged | None:
    """Most tags of dialogue say how."""
    reading, _ = paragraphs_of(original)
    ends = {place.end for place in reading.speech}
    tags = [
        word
        for word, said in enumerate(reading.words)
        if said in {"said", "replied", "asked", "answered"}
        and not reading.spoken[word]
        and (_SPEAKER.match(original.text, reading.ends[word]) or reading.words[word - 1] in {"he", "she", "they"})
        and any(reading.starts[word] - 30 <= end <= reading.starts[word] for end in ends)
    ]
    if len(tags) < 6:
        return None
    chosen = sorted(random.sample(tags, round(0.7 * len(tags))))
    text, places, shift = original.text, [], 0
    for word in chosen:
        verb, adverb = random.choice(INSERTIONS["tags"]).split()
        start, end = reading.starts[word], reading.ends[word]
        speaker = _SPEAKER.match(original.text, end)
        behind = speaker.end() if speaker else end
        tag = f"{verb}{original.text[end:behind]} {adverb}"
        text = text[: start + shift] + tag + text[behind + shift :]
        places.append(Place(start + shift, start + shift + len(tag)))
        shift += len(tag) - (behind - start)
    return Damaged(kind="dialogue tags inflated", original=original, text=text, material=original.material, places=tuple(places))


_SPEAKER = re.compile(r" (?:he|she|they|I|the [a-z]+|(?:(?:Mr|Mrs|Dr|St)\. |(?:Miss|Lady|Lord|Sir) )?[A-Z][a-z]+(?: [A-Z][a-z]+)*)\b")
