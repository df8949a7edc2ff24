"""Closeness by stored vectors: what it finds, what it keeps silent about, and how it is fused with what words find."""

import random
from dataclasses import replace
from uuid import UUID

import pytest

from domain.llm.tokens import TokenCounter
from domain.prompting.index.text_index import indexed
from domain.prompting.index.vectors import text_key, unit_vector
from domain.prompting.memory import ProjectMemory
from domain.prompting.optimizer import build_prompt
from domain.prompting.receipts import Reason
from domain.prompting.semantics import (
    FUSION_K,
    LONGEST_REQUEST,
    MOST_NEAR,
    Meanings,
    fused,
    nearest,
    passage_texts,
    request_text,
)
from tests.domain.prompting.book import chapter, salt_road, wish, written

TOKENS = TokenCounter()
BRIEF = "Somebody mourns a brother."
FILLER = "The harbour master wrote the day's tonnage in the ledger and blotted it, and the clerks carried the crates along the quay. "
GRIEF = "She set two plates on the table, as on every evening, and put one of them back into the cupboard without a word. "


def passage(opening, words=FILLER):
    """Long enough to be a passage of its own."""
    return opening + words * 4


def book(*texts, brief=BRIEF):
    """The material of a chapter behind these texts; what is sent as recent text is far behind them."""
    tail = "\n\n".join(passage(f"Day {number} of the frost. ") for number in range(1, 45))
    earlier = [written(number, text) for number, text in enumerate((*texts, tail), start=1)]
    return salt_road(chapter=chapter(9, title="Ash", brief=brief), earlier=tuple(earlier), references=())


def meanings_of(material, vector_of, *, brief=BRIEF, title="Ash"):
    """What is stored when all of the material has been embedded."""
    texts = [request_text(title=title, brief=brief), *(text for one in material.earlier for text in passage_texts(one.content))]
    return Meanings("m", {text_key(text): unit_vector(vector_of(text)) for text in texts})


def by_grief(text):
    """Two dimensions: whether it is about mourning, and that it is a text at all."""
    return (1.0, 0.1) if "brother" in text or "two plates" in text else (0.0, 1.0)


def build(material):
    return build_prompt(material, wish(6_000), tokens=TOKENS)


def found(material):
    """Label to item, of passages of earlier text."""
    return {one.label: one for one in build(material).receipt.items if one.group == "earlier text"}


def near(request, texts, vectors, **bounds):
    keyed = [(UUID(int=number), content) for number, content in enumerate(texts)]
    return nearest(request, keyed, Meanings("m", vectors), ProjectMemory(), **bounds)


@pytest.fixture
def plates():
    """The first chapter's second passage is about the brief, and shares no word with it."""
    material = book("\n\n".join((passage("One. "), passage("", GRIEF), passage("Two. "))))
    return replace(material, meanings=meanings_of(material, by_grief))


def test_a_passage_that_shares_no_word_with_the_brief_is_found_by_its_meaning(plates):
    label = "Chapter 1, “Chapter 1” (passage 2)"
    assert label not in found(replace(plates, meanings=Meanings()))
    item = found(plates)[label]
    assert item.evidence == ("close in meaning to the brief (passage 2 of chapter 1)",)
    assert 0 < item.score < 0.1


def test_without_vectors_the_prompt_is_the_same_to_the_byte(plates):
    silent = build(replace(plates, meanings=Meanings()))
    request = text_key(request_text(title="Ash", brief=BRIEF))
    for vectors in (
        {},
        {request: plates.meanings.vectors[request]},
        {key: vector for key, vector in plates.meanings.vectors.items() if key != request},
    ):
        assert build(replace(plates, meanings=Meanings("m", vectors))) == silent
    assert build(plates) != silent


def test_a_brief_that_was_only_tried_out_has_no_vector_and_the_lane_is_silent(plates):
    tried = wish(6_000, brief="Another brief, about mourning.")
    assert build_prompt(plates, tried, tokens=TOKENS) == build_prompt(replace(plates, meanings=Meanings()), tried, tokens=TOKENS)


def test_instructions_do_not_silence_the_lane(plates):
    prompt = build_prompt(plates, wish(6_000, instructions="Shorter sentences."), tokens=TOKENS)
    assert any("close in meaning" in line for item in prompt.receipt.items for line in item.evidence)


def test_what_both_lanes_find_comes_before_what_one_finds_and_says_so_twice():
    both = passage(
        "", "Her brother was mourned with two plates on the table on every evening of that long winter, and nobody spoke of it. "
    )
    material = book(
        "\n\n".join((passage("", GRIEF), both, passage("", "A brother owes the harbour master money for the crates of that day. ")))
    )
    items = found(replace(material, meanings=meanings_of(material, by_grief)))
    meant, twice, by_words = (items[f"Chapter 1, “Chapter 1” (passage {number})"] for number in (1, 2, 3))
    assert twice.evidence[-1] == "close in meaning to the brief (passage 2 of chapter 1)"
    assert any('"brother"' in line for line in twice.evidence)
    assert twice.score > meant.score
    assert by_words.evidence != ()


def test_nothing_that_is_only_close_ever_comes_before_what_words_find_as_well():
    """However much else of the request it might share, and wherever it stands in both rankings."""
    chance = random.Random(11)
    asked = ["brother", "mourns", "bell", "lamp"]

    def sentence(number):
        others = [f"{chance.choice('bdfgklm')}{chance.choice('aeiou')}{chance.choice('nrst')}{chance.choice('aeiou')}k" for _ in range(60)]
        return " ".join((*others, *(chance.sample(asked, number % 4 if number < 8 else 0)))) + ". "

    texts = ["\n\n".join(sentence(number) for number in range(40))]
    material = book(*texts, brief="Somebody mourns a brother at the bell by the lamp.")

    def vector_of(text):
        return (-1.0, 0.0) if FILLER in text else (1.0, 0.0) if "Somebody" in text else (chance.random(), chance.random())

    vectors = meanings_of(material, vector_of, brief=material.chapter.brief)
    items = [one for one in found(replace(material, meanings=vectors)).values() if one.reason is not Reason.DUPLICATE]
    by_meaning = {one: any("close in meaning" in line for line in one.evidence) for one in items}
    by_words = {one: any(line.startswith('"') for line in one.evidence) for one in items}
    both = [one.score for one in items if by_meaning[one] and by_words[one]]
    only_close = [one.score for one in items if by_meaning[one] and not by_words[one]]
    assert len(both) > 2
    assert len(only_close) > 2
    assert max(only_close) <= min(both)


def test_the_order_in_which_texts_and_vectors_came_changes_nothing(plates):
    shuffled = list(plates.meanings.vectors.items())
    random.Random(3).shuffle(shuffled)
    other = replace(plates, earlier=tuple(reversed(plates.earlier)), meanings=Meanings("m", dict(shuffled)))
    assert build(other) == build(plates)


def test_what_memory_keeps_of_a_comparison_changes_nothing_when_more_becomes_known(plates):
    vectors = plates.meanings.vectors
    request = text_key(request_text(title="Ash", brief=BRIEF))
    few = {request: vectors[request]} | dict(list(vectors.items())[:2])
    part = replace(plates, meanings=Meanings("m", few))
    build(part)
    assert build(plates) == build(replace(plates, memory=ProjectMemory()))
    assert build(part) == build(replace(part, memory=ProjectMemory()))


@pytest.mark.parametrize(
    ("rankings", "expected"),
    [
        ([[]], []),
        ([[(0, 5), (0, 1), (3, 2)], []], [(0, 5), (0, 1), (3, 2)]),
        ([[(0, 1), (0, 2)], [(0, 2), (0, 1)]], [(0, 1), (0, 2)]),
        ([[(0, 1), (0, 2)], [(0, 3)]], [(0, 1), (0, 3), (0, 2)]),
        ([[(0, 1), (0, 2)], [(0, 9), (0, 2)]], [(0, 2), (0, 1), (0, 9)]),
    ],
)
def test_rankings_are_fused_by_reciprocal_ranks(rankings, expected):
    assert fused(*rankings) == expected


def test_whatever_two_rankings_of_this_length_share_comes_first():
    """The last of both against the first of one: 1 / 84 + 1 / 90 is more than 1 / 61."""
    words = [(0, number) for number in range(24)]
    close = [(1, number) for number in range(MOST_NEAR - 1)] + [(0, 23)]
    assert fused(words, close)[0] == (0, 23)
    assert 2 / (FUSION_K + MOST_NEAR) > 1 / (FUSION_K + 1)


def test_the_closest_come_first_and_what_points_away_never():
    content = indexed("\n\n".join(passage(f"Number {number}. ") for number in range(4)))
    keys = [text_key(text) for text in passage_texts(content)]
    vectors = dict(zip(keys, map(unit_vector, [(1, 1), (1, 0), (-1, 0), (0, 0)]), strict=True)) | {text_key("q"): unit_vector((1, 0.1))}
    assert near("q", [content], vectors) == [(0, 1), (0, 0)]


def test_vectors_of_another_length_are_as_good_as_unknown():
    content = indexed(passage("One. "))
    (key,) = map(text_key, passage_texts(content))
    assert near("q", [content], {key: unit_vector((1, 0, 0)), text_key("q"): unit_vector((1, 0))}) == []


def test_of_a_very_long_book_the_end_is_compared():
    texts = [indexed("\n\n".join(passage(f"{name} {number}. ") for number in range(2))) for name in ("A", "B", "C")]
    vectors = {text_key(text): unit_vector((1, 0)) for content in texts for text in passage_texts(content)} | {
        text_key("q"): unit_vector((1, 0))
    }
    assert near("q", texts, vectors, most_compared=3) == [(1, 1), (2, 0), (2, 1)]


def test_no_more_are_nominated_than_fusion_can_keep_behind_what_both_find():
    content = indexed("\n\n".join(passage(f"Number {number}. ") for number in range(2 * MOST_NEAR)))
    vectors = {text_key(text): unit_vector((1, 0)) for text in passage_texts(content)} | {text_key("q"): unit_vector((1, 0))}
    assert near("q", [content], vectors) == [(0, number) for number in range(MOST_NEAR)]


@pytest.mark.parametrize(
    ("title", "brief", "expected"),
    [
        ("Ash", "", ""),
        ("Ash", " \n", ""),
        ("", "Mara leaves.", "Mara leaves."),
        (" The  bar\n", " Mara\r\nleaves. ", "The bar\n\nMara\nleaves."),
        ("", "x" * 9_000, "x" * LONGEST_REQUEST),
    ],
)
def test_what_is_embedded_of_a_chapter_to_be_written_is_its_title_and_brief(title, brief, expected):
    assert request_text(title=title, brief=brief) == expected


def test_what_is_embedded_does_not_change_by_being_cleaned_once_more():
    once = request_text(title="A\u200b  b", brief="c\u2028d\u0007 ")
    assert once == "A b\n\nc\nd"
    assert request_text(title="A b", brief="c\nd") == once
