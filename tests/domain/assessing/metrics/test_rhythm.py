"""Lengths, beginnings, speech and dashes, counted by hand."""

from math import sqrt

import pytest

from domain.assessing.metrics.pointing import LONGEST_QUOTE
from tests.domain.assessing.metrics.texts import quotes, taken

SHORT = "He ran on."
LONG = "The road went over the hill and down to the sea."
TEN = " ".join([SHORT, LONG] * 5)
"""Five sentences of 3 words and five of 11: a mean of 7, a standard deviation of 4."""


def test_sentence_length_is_the_mean_in_words():
    assert taken("sentenceLength", TEN).value == 7


def test_a_very_long_sentence_is_pointed_at():
    endless = "And " + "so it went on " * 16 + "again."
    assert quotes("sentenceLength", f"{TEN} {endless}") == [endless]


def test_sentence_variation_is_the_deviation_by_the_mean():
    assert taken("sentenceVariation", TEN).value == pytest.approx(4 / 7)


def test_sentences_of_one_length_do_not_vary_and_drone():
    text = " ".join([SHORT] * 12)
    measured = taken("sentenceVariation", text)
    assert measured.value == 0
    assert [finding.quote for finding in measured.findings] == [text]
    assert measured.findings[0].message == "12 sentences in a row are about 3 words long."


def test_a_change_of_length_ends_a_drone():
    assert quotes("sentenceVariation", " ".join([SHORT] * 6 + [LONG] + [SHORT] * 5)) == [" ".join([SHORT] * 6)]


def test_paragraph_length_is_the_mean_in_words_without_breaks():
    text = f"# One\n\n{SHORT}\n\n{SHORT}\n\n***\n\n{SHORT}\n\n{SHORT}\n\n{LONG}"
    assert taken("paragraphLength", text).value == pytest.approx((4 * 3 + 11) / 5)


def test_a_very_long_paragraph_is_pointed_at():
    long = " ".join([SHORT] * 110)
    found = quotes("paragraphLength", "\n\n".join([SHORT] * 5 + [long]))
    assert len(found) == 1
    assert long.startswith(found[0])
    assert len(found[0]) <= LONGEST_QUOTE


def test_single_sentences_standing_alone_are_counted_and_their_runs_pointed_at():
    alone = "He ran on.\n\nNobody came.\n\nIt rained."
    text = f"{TEN}\n\n{alone}\n\n“Stop.”\n\n{TEN}\n\n{SHORT}"
    measured = taken("singleSentenceParagraphs", text)
    assert measured.value == pytest.approx(100 * 4 / 7)
    assert [finding.quote for finding in measured.findings] == [alone]


def test_lines_of_dialogue_are_no_single_sentences():
    assert taken("singleSentenceParagraphs", "\n\n".join(["“Stop,” he said."] * 6)).value == 0


def test_dialogue_share_goes_by_words():
    told, spoken = "word " * 75, "“" + "word " * 25 + "”"
    assert taken("dialogueShare", f"{told}\n\n{spoken}").value == 25
    assert taken("dialogueShare", told * 2).value == 0
    assert taken("dialogueShare", f"“{told * 2}”").value == 100


def test_sentences_that_begin_like_the_one_before_are_counted():
    row = "She sat. She stood. She left."
    others = "It rained. Nobody came. Stones fell. Birds sang. Doors shut. Clocks struck. Men spoke."
    measured = taken("sameOpeners", f"{others} {row}")
    assert measured.value == pytest.approx(100 * 2 / 10)
    assert [finding.quote for finding in measured.findings] == [row]


def test_speech_between_them_keeps_openers_apart():
    text = " ".join(["She sat. “Oh.”"] * 10)
    assert taken("sameOpeners", text).value == 0


def test_sentences_that_share_three_words_are_counted():
    shared = "In the end it rained. In the end he slept. In the end she left. In the end nobody came."
    others = "It rained all day. Nobody came to us. Stones fell on roofs. Birds sang out loud. Doors shut at noon. Clocks struck ten times."
    measured = taken("sameOpenings", f"{others} {shared}")
    assert measured.value == pytest.approx(40)
    assert [finding.quote for finding in measured.findings] == ["In the end"]
    assert measured.findings[0].start == len(others) + 1 + shared.rindex("In the end")
    assert taken("sameOpenings", others + " " + others.replace("a", "e").replace("o", "u").replace("i", "y")).value == 0


@pytest.mark.parametrize("dash", ["—", "--", " – ", "―"])
def test_dashes_are_counted_however_they_are_typed(dash):
    crowded = f"He came{dash}late{dash}and wet{dash}home."
    text = "word " * 93 + f"end. {crowded}"
    measured = taken("emDashes", text)
    assert measured.value == pytest.approx(3000 / 100)
    assert [finding.quote for finding in measured.findings] == [crowded]


def test_a_dash_that_opens_speech_and_a_hyphen_are_no_dashes():
    assert taken("emDashes", "— Viens, dit-il.\n\n" + "well-known 1914–1918 " * 60, language="fr").value == 0


@pytest.mark.parametrize(
    "name",
    [
        "sentenceLength",
        "sentenceVariation",
        "paragraphLength",
        "singleSentenceParagraphs",
        "dialogueShare",
        "sameOpeners",
        "sameOpenings",
        "emDashes",
    ],
)
def test_too_little_text_says_nothing(name):
    assert taken(name, "He ran on. She stayed.") is None


def test_variation_is_the_population_s():
    text = " ".join(["One."] * 9 + ["One two three four five six."])
    assert taken("sentenceVariation", text).value == pytest.approx(sqrt(0.9 * 0.25 + 0.1 * 20.25) / 1.5)
