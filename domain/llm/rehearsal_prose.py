"""A chapter-shaped text out of an author's own material: the same for the same material, and never mistaken for a model's.

The phrases only join what the author wrote. They are past tense and English; in other languages the author's sentences stand alone.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import count, permutations
from typing import Generic, TypeVar

from domain.llm.rehearsal_material import RehearsalMaterial
from domain.writing.words import count_words

Card = TypeVar("Card")

LABEL = "> *Rehearsal: composed from your own notes by the built-in stand-in. No language model was called.*"

OPENINGS = (
    "The day began, as such days do, with something small: a door left open, and {name} standing in front of it.",
    "By the time the lamps were lit, {name} had stopped pretending to be busy with anything else.",
    "Nobody had sent for {name}, and so {name} came early, and waited, and had time to look around.",
    "It was too late to turn back by then, and {name} knew it before anyone said so.",
)
REMEMBERING = (
    "What had come before was not far away. “{sentence}” The words had stayed, as words do.",
    "{name} thought of how they had left it the last time. “{sentence}” There was no better way to put it, even now.",
)
RESPONSES = (
    "{name} had expected it, and was surprised all the same.",
    "For a moment nobody moved; then everyone did at once.",
    "It took no longer than a breath, and {other} saw all of it.",
    "Afterwards {name} could not have said how long it had taken.",
    "{other} looked away first.",
    "There were other ways it might have gone, and {name} went through each of them on the way out.",
    "It would have to be told to {other} sooner or later, and later seemed better.",
)
REFLECTIONS = (
    "{name} turned it over and over. There was still the matter of {subject}, and nobody had offered to see to it.",
    "Outside, the light had moved on by the width of a hand. {name} noticed, and did nothing about it. {other} noticed that too.",
    "It is easy to be patient with a thing that does not concern you. {subject}, unluckily, concerned them both.",
    "{name} walked the length of the room and back. Whatever one thought of {subject}, it would not go away for being ignored.",
    "They were quiet for a time. It was not the bad sort of quiet, and {other} let it last as long as it would.",
    "On the table lay a page in a hand that {name} knew, with one line marked: *{note}* There was nothing else on it.",
    "{other} had a way of listening that made people say more than they meant to. {name} knew this, and said a little less.",
    "Somebody had once written it down for {name}, and {name} had kept the paper: *{note}* It had seemed a small thing then.",
)
STATEMENTS = (
    "Without looking up, {name} said: “{note}”",
    "“You know how it is,” said {name}. “{note}”",
    "“I will say this once,” {name} said. “{note}”",
    "“People forget,” said {name}. “{note}”",
    "“Let us begin with what we know,” said {name}. “{note}”",
)
REPLIES = (
    "“So I was told,” said {other}.",
    "“And {subject}?” asked {other}.",
    "“That is one way to see it,” said {other}, and did not say what the other way was.",
    "{other} nodded slowly. “Go on.”",
    "“You might have mentioned that before,” {other} said.",
    "{other} spoke more quietly now. “Does anyone else know?”",
)
CLOSES = (
    "“Enough people,” {name} said.",
    "“We have been over this,” said {name}, and they had.",
    "“Then we had better be quick,” {name} said, and took the lead.",
    "“Ask me again tomorrow,” said {name}.",
    "{name} only shrugged, which was an answer of a kind.",
)
ENDINGS = (
    "When it was over, {name} stayed behind a little longer than there was reason to, and then put out the light.",
    "That was where they left it. {name} closed the door, quietly, and nobody called it back open.",
    "{name} looked back once. It was enough; the rest could wait for the next page.",
)
AFTERTHOUGHT = "There was no more to be said that day."

_NOBODY = ("the traveller", "the other one")
_NOTHING = ("the unanswered question", "the road ahead")
_NO_NOTE = "Nothing is settled until it is written down."
_SCENE_BREAK = "* * *"
_ROUNDS_IN_A_SCENE = 4
MOST_REPEATS = 3
_SENTENCE_START = re.compile(r"(?:^|(?<=[.!?] ))[a-z]")


def compose(material: RehearsalMaterial, *, seed: bytes) -> str:
    """A whole chapter of about `material.words` words below the label. Paragraphs are separated by empty lines."""
    return "\n\n".join([LABEL, *_chapter(material, seed, material.words)])


def resume(material: RehearsalMaterial, *, seed: bytes, behind: str) -> str:
    """What comes behind a text that was begun: the rest of the same chapter, or new paragraphs if the text has been changed since."""
    whole = compose(material, seed=seed)
    if whole.startswith(behind):
        return whole[len(behind) :] or f"\n\n{AFTERTHOUGHT}"
    missing = max(1, material.words - count_words(behind))
    other_seed = hashlib.sha256(seed + behind.encode(errors="replace")).digest()
    return "".join(f"\n\n{paragraph}" for paragraph in _chapter(material, other_seed, missing))


def _chapter(material: RehearsalMaterial, seed: bytes, words: int) -> Iterator[str]:
    speaks = material.english or not (material.brief or material.notes or material.recent)
    return _Narrator(material, seed).chapter(words) if speaks else _quoted(material, seed, words)


def _quoted(material: RehearsalMaterial, seed: bytes, words: int) -> Iterator[str]:
    """Paragraphs of nothing but the author's sentences, in the author's language, none of them more than a few times."""
    others = _Deck("sentences", (*material.notes, *material.recent) or material.brief, seed)
    written = 0
    for number in range(MOST_REPEATS * (len(material.brief) + len(others))):
        told = material.brief[number] if number < len(material.brief) else others.draw()
        yield told if number % 3 else f"“{told}”"
        written += count_words(told)
        if written >= words:
            return


class _Narrator:
    def __init__(self, material: RehearsalMaterial, seed: bytes) -> None:
        self._material = material
        people = (*material.people, *_NOBODY)[: max(2, len(material.people))]
        self._pairs = _Deck("pairs", tuple(permutations(people, 2)), seed)
        self._decks = {
            name: _Deck(name, values, seed)
            for name, values in {
                "subject": tuple(map(_within_a_sentence, material.subjects)) or _NOTHING,
                "note": material.notes or material.brief or (_NO_NOTE,),
                "openings": OPENINGS,
                "remembering": REMEMBERING,
                "responses": RESPONSES,
                "reflections": REFLECTIONS,
                "statements": STATEMENTS,
                "replies": REPLIES,
                "closes": CLOSES,
                "endings": ENDINGS,
            }.items()
        }

    def chapter(self, words: int) -> Iterator[str]:
        written = 0
        for paragraph in self._scenes():
            yield paragraph
            written += count_words(paragraph)
            if written >= words:
                break
        yield self._say("endings", self._pairs.draw())

    def _scenes(self) -> Iterator[str]:
        """Without end; the brief's sentences are told in their order, the first at once."""
        brief = iter(self._material.brief)
        pair = self._pairs.draw()
        yield self._say("openings", pair)
        if self._material.recent:
            yield self._say("remembering", pair, sentence=self._material.recent[-1])
        for number in count(1):
            if told := next(brief, None):
                yield f"{told} {self._say('responses', pair)}"
            yield from (self._say(kind, pair) for kind in ("statements", "replies", "closes"))
            yield f"{self._say('reflections', pair)} {self._say('responses', pair)}"
            if number % _ROUNDS_IN_A_SCENE == 0:
                yield self._say("endings", pair)
                yield _SCENE_BREAK
                pair = self._pairs.draw()
                yield self._say("openings", pair)

    def _say(self, kind: str, pair: tuple[str, ...], **words: str) -> str:
        phrase = self._decks[kind].draw()
        drawn = {slot: self._decks[slot].draw() for slot in ("subject", "note") if f"{{{slot}}}" in phrase}
        return _capitalised(phrase.format(name=pair[0], other=pair[1], **drawn, **words))


class _Deck(Generic[Card]):
    """Draws each value once before any comes again, in an order that only the seed decides."""

    def __init__(self, name: str, values: Sequence[Card], seed: bytes) -> None:
        self._values = values
        self._seed = seed + name.encode()
        self._rounds = 0
        self._left: list[Card] = []

    def __len__(self) -> int:
        return len(self._values)

    def draw(self) -> Card:
        if not self._left:
            self._rounds += 1
            self._left = sorted(self._values, key=self._weight)
        return self._left.pop()

    def _weight(self, value: Card) -> bytes:
        return hashlib.sha256(self._seed + self._rounds.to_bytes(4, "big") + str(value).encode(errors="replace")).digest()


def _within_a_sentence(title: str) -> str:
    return f"the {title[4:]}" if title.startswith("The ") else title


def _capitalised(text: str) -> str:
    """With a capital at the beginning of each sentence: a nameless person may stand there."""
    return _SENTENCE_START.sub(lambda match: match[0].upper(), text)
