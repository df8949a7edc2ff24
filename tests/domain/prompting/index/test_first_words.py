"""Finding how a term stands in a text for the first time."""

import pytest

from domain.prompting.index.first_words import first_words
from domain.prompting.index.terms import stem, stems


@pytest.mark.parametrize(
    ("text", "word", "stands_as"),
    [
        ("She was running. They run.", "run", "running"),
        ("He carries a lamp; carry it.", "carry", "carries"),
        ("Nobody wants a wanton child. He wanted it.", "want", "wants"),
        ("Men’s hats, a man's hat.", "man", "Men’s"),
        ("He went. They go.", "go", "went"),
        ("The unlit lamp, lit by hand; light!", "light", "lit"),
        ("At ten o’clock, by the clock.", "clock", "clock"),
        ("At ten o’clock, by the clock.", "o'clock", "o’clock"),
        ("An _emphatic_ word.", "emphatic", "emphatic"),
        ("İstanbul, and a CARRIAGE.", "carriage", "CARRIAGE"),
        ("ΟΔΟΣ.Α and the street.", "street", "street"),
        ("先生 said 彼女 and carries it.", "carry", "carries"),
        ("The others, and each other.", "others", "others"),
        ("A x-ray, b and c.", "x", "x"),
    ],
)
def test_a_term_is_quoted_as_it_stands_first(text, word, stands_as):
    assert first_words(text, [stem(word)]) == [stands_as]


def test_it_is_the_word_that_reading_the_text_finds_for_every_term_at_once():
    text = (
        "“Don't,” said the baker’s sisters; others' boxes were carried, carrying bells. Ed fled, feet first: a foot, an inch-long box, "
        "naïve Renée’s café, ROSES rose, e'er and o'er, leaves left, left-handed leaf. She lies; he lied; they lay, having lain 3rd."
    )
    read = dict(reversed([(base, word) for word, base in stems(text)]))
    assert len(read) > 20
    assert first_words(text, list(read)) == list(read.values())
