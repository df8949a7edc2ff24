"""Counting words as a word processor does."""

import pytest

from domain.writing.words import count_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        (" \n\t ", 0),
        ("The harbour lay quiet.", 4),
        ("She didn't, couldn’t -- wouldn't.", 4),
        ("a well-worn three-legged stool", 4),
        ("He waited—and waited... and—", 5),
        ("## Chapter One\n\n*Nothing* **moved** _at all_.\n\n---\n\n* * *", 6),
        ("1,204 men and 3.5 loaves", 5),
        ("cafe\u0301s and cafés", 3),
        ("नमस्ते दुनिया", 2),
        ("我看见了海", 5),
        ("李明说 hello，然后走了。", 8),
        ("海を見た。", 4),
        ("민수는 바다를 보았다", 3),
        ("«Où est-il ?»", 2),
    ],
)
def test_words_are_counted_in_any_script_without_marks(text, words):
    assert count_words(text) == words


def test_a_chapter_of_repeated_punctuation_is_counted_in_linear_time():
    assert count_words("a" + "-" * 200_000 + "." * 200_000) == 1
