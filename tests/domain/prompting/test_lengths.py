"""How long a chapter is meant to be."""

from dataclasses import replace

from domain.prompting.lengths import expected_completion_tokens, words_wanted
from tests.domain.prompting.book import chapter, project, salt_road


def test_the_chapters_own_target_comes_first_then_its_share_of_the_books_then_the_usual():
    material = salt_road()
    assert words_wanted(material) == 1_800
    without = replace(material, chapter=chapter(3))
    assert words_wanted(without) == 1_200
    assert words_wanted(replace(without, project=project(target_word_count=90_000))) == 3_000
    assert words_wanted(replace(without, chapter=chapter(45), project=project(target_word_count=90_000))) == 2_000


def test_four_tokens_are_expected_for_three_words():
    assert expected_completion_tokens(salt_road()) == 2_400
