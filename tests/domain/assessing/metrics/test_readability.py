"""Syllables as they are spoken, and the grade that they make with the length of sentences."""

import pytest

from domain.assessing.metrics.readability import syllables_of
from tests.domain.assessing.metrics.texts import taken

SPOKEN = {
    1: "the day yes one made walked makes called curled loved times you're tree free died through strengths b",
    2: "table handled apples wanted houses changes lonely movement quiet going beyond player people didn't o'clock crying agree colonel",
    3: "happier various excitement musician opinion thoughtfulness twenty-one indian remembered beautiful",
    4: "material society criticism",
    5: "imagination",
}


@pytest.mark.parametrize(("word", "syllables"), [(word, count) for count, words in SPOKEN.items() for word in words.split()])
def test_syllables_are_counted_by_the_spelling_and_its_exceptions(word, syllables):
    assert syllables_of(word) == syllables


def test_the_grade_is_that_of_the_formula():
    # 20 sentences of 6 words and 7 syllables.
    text = "The cat sat on the table. " * 20
    assert taken("readingGrade", text).value == pytest.approx(0.39 * 6 + 11.8 * 7 / 6 - 15.59)


def test_long_words_in_long_sentences_are_harder():
    easy = "The cat sat on the mat. " * 20
    hard = (
        "Imagination notwithstanding, institutional considerations necessitated a comprehensive reorganisation of responsibilities, " * 10
    )
    assert taken("readingGrade", easy).value < 0
    assert taken("readingGrade", hard).value > 20


def test_too_little_text_says_nothing():
    assert taken("readingGrade", "The cat sat on the mat.") is None
