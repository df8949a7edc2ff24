"""What stands in an earlier chapter, or twice in this one."""

import random

from hypothesis import given
from hypothesis import strategies as st

from domain.assessing.assessment import FindingSeverity
from domain.assessing.metrics.repeats import REPEATED_TEXT, RETELLING
from domain.assessing.metrics.shingles import SHINGLE_WORDS, earlier_shingles, shingles
from domain.prompting.receipts import SourceKind
from tests.domain.assessing.metrics.story_book import material, quotes, taken

SHORT = "The fog came in over the bar and nobody said a word about the lamp in the window"


def words(count, seed=0):
    chance = random.Random(seed)
    return " ".join("".join(chance.choices("abcdefghij", k=6)) for _ in range(count))


def test_a_passage_of_an_earlier_chapter_is_found_with_where_it_stood():
    book = material(earlier=(words(200, 1), f"It was late. {SHORT}. {words(100, 2)}"))
    (issue,) = taken(RETELLING, f"{words(50, 3)} {SHORT.upper()} {words(50, 4)}", book).findings
    assert (issue.quote, issue.severity) == (SHORT.upper(), FindingSeverity.MINOR)
    assert "chapter 2" in issue.message
    assert issue.conflicts_with.quote == SHORT
    assert (issue.conflicts_with.source.kind, issue.conflicts_with.source.id) == (SourceKind.CHAPTER_VERSION, book.earlier[1].version_id)


def test_a_long_passage_weighs_more():
    told = words(60, 5)
    (issue,) = taken(RETELLING, f"{words(50, 3)} {told} {words(50, 4)}", material(earlier=(told,))).findings
    assert (issue.quote, issue.severity) == (told, FindingSeverity.MAJOR)


def test_the_value_is_the_share_of_five_words_in_a_row():
    told = words(50, 6)
    assert taken(RETELLING, told, material(earlier=(told,))).value == 1.0
    assert taken(RETELLING, told, material(earlier=(words(50, 7),))).value == 0.0
    assert taken(RETELLING, told, material()) is None, "nothing came before"
    assert taken(RETELLING, "Too short.", material(earlier=(told,))) is None


def test_stock_phrases_and_refrains_are_no_retelling():
    tag, refrain = "“I do not know what you mean,” said Mara Venn.", "Ring, bell, ring! " * 9
    book = material(earlier=(f"{tag} {words(20, 1)} {refrain} {words(20, 2)}",))
    assert quotes(RETELLING, f"{tag} {words(20, 3)} {refrain} {words(20, 4)}", book) == []


def test_a_paragraph_that_stands_twice_is_found_the_second_time():
    told = words(40, 8)
    text = f"{told}\n\n{words(30, 9)}\n\n{told}\n\n{words(5, 10)}"
    (issue,) = taken(REPEATED_TEXT, text).findings
    assert (issue.start, issue.quote, issue.severity) == (text.rindex(told), told, FindingSeverity.MAJOR)


def test_what_somebody_quotes_and_what_is_short_is_no_repetition():
    line = "to the last of our days we shall wait here for the bell and the lamp"
    assert quotes(REPEATED_TEXT, f"“It says {line},” she read. {words(30, 9)} “And {line}, indeed!”") == []
    assert quotes(REPEATED_TEXT, f"Ring the bell, Mara. {words(30, 9)} Ring the bell, Mara.") == []
    assert quotes(REPEATED_TEXT, "no " * 100) == []
    verse = "The bell that rang for every man,\n{}Shall ring no more for me and you"
    assert quotes(REPEATED_TEXT, f"{verse.format('')}\n\n{words(30, 9)}\n\n{verse.format('')}") == []
    assert quotes(REPEATED_TEXT, f"{verse.format('')}\n\n{words(30, 9)}\n\n{verse.replace(chr(10), ' ').format('')}") == []


def test_repetitions_are_found_in_unspaced_scripts():
    told = "他慢慢地走进了那间黑暗的屋子然后轻轻关上了门又把灯放在桌子上面"
    for passage, expected in ((told, [told]), (told[:20], [])):
        assert quotes(REPEATED_TEXT, f"{passage}。\n\n夜很深。风停了。\n\n{passage}。", language="zh") == expected


@given(st.lists(st.sampled_from("abc"), max_size=30))
def test_equal_words_have_equal_shingles_and_other_words_others(letters):
    windows = [tuple(letters[at : at + SHINGLE_WORDS]) for at in range(max(0, len(letters) - SHINGLE_WORDS + 1))]
    numbers = shingles(letters)
    assert len(numbers) == len(windows)
    assert len(set(zip(windows, numbers, strict=True))) == len(set(windows)) == len(set(numbers))


def test_shingles_are_the_same_in_every_process():
    assert shingles(["the", "fog", "came", "in", "over", "the", "bar"]) == [1067356035978095872, 142716872567198679, 1691243940495726473]


def test_what_was_worked_out_of_earlier_chapters_is_remembered():
    book = material(earlier=(words(50, 6), words(50, 7)))
    assert earlier_shingles(book) is earlier_shingles(book)
    assert len(earlier_shingles(book).numbers) == 2 * (50 - SHINGLE_WORDS + 1)
