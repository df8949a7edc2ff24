"""Favourite words, favourite phrases and favourite contrasts of models, found where they stand."""

import pytest

from domain.assessing.assessment import FindingSeverity
from tests.domain.assessing.metrics.texts import filler, quotes, taken


def test_favourite_words_are_counted_in_a_thousand():
    text = f"{filler(196)} Crimson embers. A testament. {filler(800)}"
    measured = taken("slopWords", text)
    assert measured.value == pytest.approx(3)
    assert [finding.quote for finding in measured.findings] == ["Crimson", "embers", "testament"]
    assert taken("slopWords", filler(1000)).value == 0


def test_the_word_that_is_used_most_is_pointed_at_first():
    text = f"Ozone. {filler(200)} Embers. {filler(200)} Embers."
    assert quotes("slopWords", text) == ["Embers", "Embers", "Ozone"]
    assert "2 times" in taken("slopWords", text).findings[0].message


def test_at_most_twenty_are_pointed_at():
    measured = taken("slopWords", filler(900) + " shimmering" * 100)
    assert measured.value == 100
    assert len(measured.findings) == 20


@pytest.mark.parametrize(
    "phrase",
    ["barely above a whisper", "took a deep breath", "drew a deep breath", "couldn’t help but", "Her heart hammered", "down my spine"],
)
def test_favourite_phrases_are_found_in_all_their_forms(phrase):
    text = f"{filler(400)} So it was, {phrase}. {filler(400)}"
    assert quotes("slopPhrases", text) == [phrase]
    assert taken("slopPhrases", text).value == pytest.approx(1000 / (800 + 3 + len(phrase.split())))


def test_phrases_do_not_overlap():
    assert quotes("slopPhrases", f"{filler(400)} It sent a shiver down his spine.") == ["sent a shiver down"]


@pytest.mark.parametrize(
    "contrast",
    [
        "not just a house, but",
        "not merely tired but",
        "not because she had to, but because",
        "not a house but a",
        "less like a house than",
        "no longer a child, but",
    ],
)
def test_contrasts_within_a_sentence_are_found(contrast):
    assert quotes("contrasts", f"{filler(200)} He thought of it {contrast} he came. {filler(200)}") == [contrast]


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("It wasn’t fear. It was older.", "It wasn’t fear. It was"),
        ("It was not fear; it was older.", "It was not fear; it was"),
        ("The silence wasn't empty. It was full.", "silence wasn't empty. It was"),
        ("He wasn't a soldier—he was a weapon.", "He wasn't a soldier—he was"),
        ("Not fear. Something older.", "Not fear. Something older."),
    ],
)
def test_contrasts_over_two_sentences_are_found(text, quote):
    assert quotes("contrasts", f"{filler(200)} {text} {filler(200)}") == [quote]


@pytest.mark.parametrize(
    "text",
    [
        "He was not ready. She was.",
        "It was not late. It was not early.",
        "It was not late.\n\nIt was early.",
        "She did not go but stayed.",
        "He was less tired than his brother.",
        "She was no longer a child.",
        "Not yet. He waited.",
        "“Not fear. Something older.”",
        "Not a sound was heard in all the wide house that night. He slept.",
    ],
)
def test_plain_denials_are_no_contrasts(text):
    assert quotes("contrasts", f"{filler(200)} {text} {filler(200)}") == []


def test_contrasts_are_counted_in_a_thousand_words():
    assert taken("contrasts", "It wasn't fear. It was older. " + filler(494)).value == pytest.approx(2)


@pytest.mark.parametrize(
    "sentence",
    [
        "The silence stretched, palpable and endless.",
        "Embers glowed in a crimson sky.",
        "It took a deep breath and a testament.",
        "It wasn't fear, it was a shimmering sea.",
    ],
)
def test_a_sentence_with_two_signs_is_more_than_a_note(sentence):
    text = f"{filler(200)} {sentence} {filler(200)}"
    (finding,) = taken("slopSentences", text).findings
    assert finding.quote == sentence
    assert finding.severity is FindingSeverity.MINOR


@pytest.mark.parametrize(
    "sentence",
    [
        "The embers fell.",
        "He chuckled, and chuckled again.",
        "Embers fell " + "here and there and " * 12 + "upon the crimson.",
        "It took a deep breath.",
        "It wasn't fear, it was hunger.",
    ],
)
def test_one_sign_or_two_far_apart_are_not_crowded(sentence):
    assert taken("slopSentences", f"{filler(200)} {sentence} {filler(200)}").value == 0


def test_the_most_crowded_sentence_is_pointed_at_first():
    text = f"{filler(200)} Embers fell upon crimson. Embers fell upon crimson tapestries."
    assert quotes("slopSentences", text) == ["Embers fell upon crimson tapestries.", "Embers fell upon crimson."]
    assert taken("slopSentences", text).value == pytest.approx(2000 / 209)


@pytest.mark.parametrize("name", ["slopWords", "slopPhrases", "contrasts", "slopSentences"])
def test_too_little_text_says_nothing(name):
    assert taken(name, "It wasn't fear. It was a shimmering testament to crimson.") is None
