"""Perceiving, feeling and being done to, told by the narrator."""

import pytest

from tests.domain.assessing.metrics.texts import filler, quotes, taken


@pytest.mark.parametrize("filtered", ["She saw", "he could hear", "Mary noticed", "I suddenly realised", "they had felt"])
def test_a_person_who_perceives_is_found(filtered):
    assert quotes("filterWords", f"{filler(200)} And then, {filtered} that it rained. {filler(200)}") == [filtered]


@pytest.mark.parametrize(
    "plain", ["The house saw good days.", "“I saw him,” she said.", "He came; saw nobody.", "A felt hat lay there.", "He could go."]
)
def test_perceiving_in_speech_or_by_no_person_is_none(plain):
    assert quotes("filterWords", f"{filler(200)} {plain} {filler(200)}") == []


def test_filter_words_go_by_the_words_that_are_told():
    text = f"{filler(246)} She saw stones. It rained. “{filler(251)}”"
    assert taken("filterWords", text).value == pytest.approx(1000 / 251)


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("She felt sad.", "She felt sad"),
        ("He was very angry.", "He was very angry"),
        ("She suddenly felt a deep sadness.", "She suddenly felt a deep sadness"),
        ("It came with a pang of sudden regret.", "pang of sudden regret"),
        ("He left with great relief.", "with great relief"),
        ("They stared in disbelief.", "in disbelief"),
    ],
)
def test_a_named_emotion_is_found(text, quote):
    assert quotes("namedEmotions", f"{filler(200)} {text} {filler(200)}") == [quote]


@pytest.mark.parametrize(
    "text",
    [
        "“I am sad,” he said.",
        "He was tall.",
        "The dog was happy.",
        "She felt the cold wall.",
        "A pang of hunger came.",
        "He came with Mary.",
    ],
)
def test_what_names_no_emotion_is_none(text):
    assert quotes("namedEmotions", f"{filler(200)} {text} {filler(200)}") == []


def test_named_emotions_go_by_the_words_that_are_told():
    assert taken("namedEmotions", f"She felt sad. {filler(497)}").value == pytest.approx(2)


def test_passive_sentences_are_a_share_of_those_told():
    text = f"{filler(64)} The door was opened. It had never been repaired. “I was robbed.”"
    assert taken("passiveSentences", text).value == pytest.approx(100 * 2 / 10)
    assert taken("passiveSentences", filler(160)).value == 0


def test_passives_that_name_the_doer_or_come_twice_are_pointed_at():
    text = f"{filler(64)} The door was opened by Mary. It was read and was never seen again. The lamp was lit. The house was sold."
    assert quotes("passiveSentences", text) == ["was read and was never seen", "was opened"]


@pytest.mark.parametrize("text", ["He was tired.", "She was gone.", "It was red.", "He was a hundred.", "They were in need."])
def test_what_somebody_is_is_no_passive(text):
    assert taken("passiveSentences", f"{filler(96)} {text}").value == 0


@pytest.mark.parametrize("name", ["filterWords", "namedEmotions", "passiveSentences"])
def test_too_little_narration_says_nothing(name):
    assert taken(name, f"She saw that he was beaten. She felt sad. “{filler(400)}”") is None
