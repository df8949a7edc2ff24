"""Prose that means nothing and reads, to an index, like a novel: the optimizer's own list of English words, as often as they are used."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from random import Random

from domain.prompting import surprise

_FIRST = "Ab Bran Cal Dor El Fen Gar Hes Is Jor Kel Lor Mar Nor Os Per Quin Ros Sel Tor Ul Ver Wil Yor Zel".split()  # noqa: SIM905
_MIDDLE = ("a", "e", "i", "o", "ari", "eli", "ona", "u")
_LAST = ("bert", "cott", "den", "ford", "gate", "lin", "mere", "na", "ric", "sett", "th", "wick", "worth", "wyn")
TITLES = ("Captain", "Doctor", "Lady", "Miss", "Professor", "Sergeant", "Sister", "Old")
TOPIC_WORDS = 40
"""Words that a chapter uses far more often than the book does, so that a search can tell chapters apart."""

_TOPICAL = 0.08
_NAMED = 0.3
"""The share of the sentences that name somebody."""

_SPOKEN = 0.35
_RARER_THAN = 4_000
"""Topics are made of the words behind the so-manieth, which is where words begin to say what a text is about."""


class Prose:
    """The same texts for the same seed, in the same order."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        source = Path(surprise.__file__).with_name("english_words.txt").read_text(encoding="utf-8")
        lines = [line.split() for line in source.splitlines() if not line.startswith("#")]
        self._words = [word for _, *words in lines for word in words]
        self._cumulated = list(accumulate(2.0 ** int(exponent) for exponent, *words in lines for _ in words))

    def names(self, number: int) -> list[str]:
        """Different from each other, and no words."""
        made: dict[str, None] = {}
        while len(made) < number:
            made[self.random.choice(_FIRST) + self.random.choice(_MIDDLE) + self.random.choice(_LAST)] = None
        return list(made)

    def topic(self) -> list[str]:
        return self.random.sample(self._words[_RARER_THAN:], TOPIC_WORDS)

    def text(self, words: int, *, topic: Sequence[str], names: Sequence[str]) -> str:
        """Paragraphs with so many words or a few more; names come the more often, the earlier they are listed."""
        paragraphs, written = [], 0
        while written < words:
            sentences = [self.sentence(topic, names) for _ in range(self.random.randint(1, 8))]
            if self.random.random() < _SPOKEN and names:
                sentences[0] = f"“{sentences[0][:-1]},” said {self._one_of(names)}."
            paragraphs.append(" ".join(sentences))
            written += paragraphs[-1].count(" ") + 1
        return "\n\n".join(paragraphs)

    def sentence(self, topic: Sequence[str], names: Sequence[str]) -> str:
        random, length = self.random, self.random.randint(5, 26)
        words = [self._words[bisect(self._cumulated, random.random() * self._cumulated[-1])] for _ in range(length)]
        for place in range(length):
            if topic and random.random() < _TOPICAL:
                words[place] = topic[int(len(topic) * random.random() ** 2)]
        if names and random.random() < _NAMED:
            words[random.randrange(length)] = self._one_of(names)
        if length > 12:
            words[length // 2] += ","
        return f"{words[0][0].upper()}{' '.join(words)[1:]}."

    def _one_of(self, names: Sequence[str]) -> str:
        return names[int(len(names) * self.random.random() ** 2)]
