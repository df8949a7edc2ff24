"""What the stand-in finds to write about: names, subjects and sentences out of the prompt itself.

It reads Markdown headings the way the prompts of this project use them (`## Cast`, `### A name`), and does with any other text as well.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from domain.llm.model import Message, Role

USUAL_WORDS = 450
FEWEST_WORDS, MOST_WORDS = 20, 20_000

# Enough to write any chapter from; the rest of a very long prompt is not read, so that the first word comes at once.
_HEAD_CHARACTERS, _TAIL_CHARACTERS = 16_000, 32_000
_LONGEST_SENTENCE, _SHORTEST_SENTENCE = 280, 8
_MOST_PEOPLE, _MOST_SUBJECTS = 6, 12

_LENGTH = re.compile(r"(?:about|around|roughly|approximately|some|write)\s+(\d{1,3}(?:[,.\u202f ]\d{3})+|\d+)\s+words", re.IGNORECASE)
_ANY_LENGTH = re.compile(r"(\d{1,3}(?:[,.\u202f ]\d{3})+|\d+)[\s-]+words?\b", re.IGNORECASE)
_LANGUAGE = re.compile(r"\bLanguage:\s*([A-Za-z]{2,3})\b")
_VIEWPOINT = re.compile(r"Told from the point of view of (.{1,80}?)\.?$")
_INSTRUCTION = re.compile(
    r"(?:Chapter \d+|There is no brief|Told from the point of view|Write about|Now write|Also called:)", re.IGNORECASE
)
_FENCE = re.compile(r"</?\w[^>]*>")
_MARKUP = re.compile('[*_`~\\[\\]<>|#\\\\"“”„«»「」『』\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]')
_LETTER = re.compile(r"[^\W\d_]")
_LIST_MARK = re.compile(r"^(?:[-+=•·\u2013\u2014:\s]+|\d+[.)](?:\s+|$))+")
_SENTENCE_END = re.compile(r"(?<=[.!?…])(?<!\bMr\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bMrs\.)\s+|(?<=[\u3002\uff01\uff1f])")
_NAME = re.compile(r"(?<=[a-z,;] )(?<!\bin )(?<!\bat )(?<!\bfrom )[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,})?")
_PLACE = re.compile(r"(?<=\bin |\bat )(?:the )?[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,})?")
_NOT_NAMES = frozenset(
    [
        "Chapter",
        "Markdown",
        "English",
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalMaterial:
    """Sentences are plain text without Markdown or quotation marks, in the order of the prompt."""

    words: int
    english: bool
    people: tuple[str, ...]
    subjects: tuple[str, ...]
    brief: tuple[str, ...]
    notes: tuple[str, ...]
    recent: tuple[str, ...]


@dataclass(slots=True)
class _Notebook:
    people: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    brief: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    recent: list[str] = field(default_factory=list)


def gather(messages: Sequence[Message]) -> RehearsalMaterial:
    texts = [(message.role, _within_reach(message.text)) for message in messages]
    whole = "\n".join(text for _, text in texts)
    notebook = _Notebook()
    for role, text in texts:
        _note(text, notebook, trusted=role is Role.SYSTEM)
    language = _LANGUAGE.search(whole)
    return RehearsalMaterial(
        words=_words_asked_for(whole),
        english=language[1].lower() == "en" if language else _looks_english(notebook),
        people=_distinct(notebook.people or _frequent(_NAME, whole))[:_MOST_PEOPLE],
        subjects=_distinct(notebook.subjects or _frequent(_PLACE, whole))[:_MOST_SUBJECTS],
        brief=tuple(notebook.brief),
        notes=_distinct(notebook.notes),
        recent=tuple(notebook.recent),
    )


def _within_reach(text: str) -> str:
    if len(text) <= _HEAD_CHARACTERS + _TAIL_CHARACTERS:
        return text
    return f"{text[:_HEAD_CHARACTERS]}\n{text[-_TAIL_CHARACTERS:]}"


def _words_asked_for(text: str) -> int:
    """The last length named as a request; failing that the last named at all."""
    found = _LENGTH.findall(text) or _ANY_LENGTH.findall(text)
    words = int(re.sub(r"\D", "", found[-1])[:9]) if found else USUAL_WORDS
    return min(MOST_WORDS, max(FEWEST_WORDS, words))


def _note(text: str, notebook: _Notebook, *, trusted: bool) -> None:
    """Text of a system message counts as instruction, and is not retold, until a heading says that material begins."""
    kind = "instructions" if trusted else "brief"
    for line in text.splitlines():
        if line.startswith("## "):
            kind = _kind_of(line.lower())
        elif line.startswith("### "):
            _note_title(plain(line), kind, notebook)
        elif not _FENCE.fullmatch(line.strip()):
            _note_line(line, kind, notebook)


def _kind_of(heading: str) -> str:
    for kind, words in (
        ("cast", ("cast", "character", "people")),
        ("brief", ("brief", "scene", "task")),
        ("recent", ("earlier", "previous", "recent", "so far", "passages")),
        ("instructions", ("instruction", "genre", "style", "rules", "format")),
    ):
        if any(word in heading for word in words):
            return kind
    return "notes"


def _note_title(title: str, kind: str, notebook: _Notebook) -> None:
    if not _LETTER.search(title):
        return
    if kind == "cast":
        notebook.people.append(title)
    elif kind == "notes":
        notebook.subjects.append(title)


def _note_line(line: str, kind: str, notebook: _Notebook) -> None:
    if (viewpoint := _VIEWPOINT.search(line)) and _LETTER.search(viewpoint[1]):
        notebook.people.insert(0, plain(viewpoint[1]))
    if kind == "instructions" or _INSTRUCTION.match(line.strip()):
        return
    target = {"brief": notebook.brief, "recent": notebook.recent}.get(kind, notebook.notes)
    target.extend(_sentences(line))


def _sentences(line: str) -> Iterator[str]:
    for sentence in map(plain, _SENTENCE_END.split(plain(line))):
        if (len(sentence) >= _SHORTEST_SENTENCE or not sentence.isascii()) and _LETTER.search(sentence):
            yield _closed(_shortened(sentence))


def plain(text: str) -> str:
    """The text without anything that Markdown could take for markup, on one line."""
    return _LIST_MARK.sub("", " ".join(_MARKUP.sub("", text).split())).strip()


def _shortened(sentence: str) -> str:
    if len(sentence) <= _LONGEST_SENTENCE:
        return sentence
    cut = sentence[:_LONGEST_SENTENCE]
    return cut[: cut.rfind(" ")].rstrip(",;: ") if " " in cut else cut


def _closed(sentence: str) -> str:
    if sentence[-1] in ".!?…\u3002\uff01\uff1f\u2019')":
        return sentence
    return f"{sentence.rstrip(',;:')}." if sentence[-1].isascii() else sentence


def _frequent(pattern: re.Pattern[str], text: str) -> list[str]:
    counted = Counter(found for found in pattern.findall(text) if found.split()[0] not in _NOT_NAMES)
    return [name for name, _ in counted.most_common(_MOST_PEOPLE)]


def _looks_english(notebook: _Notebook) -> bool:
    return all(sentence.isascii() or re.search(r"\b(?:the|and|of)\b", sentence) for sentence in notebook.brief + notebook.notes[:20])


def _distinct(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
