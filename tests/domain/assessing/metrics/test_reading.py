"""A text is taken apart so that every word, sentence and speech is where it is said to be."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assessing.metrics.reading import Reading

TEXT = (
    "# One\n\nMr. Reed came at 3 p.m. “Is it late?” he asked. “It’s\nnever late.”\n\n***\n\n"
    "‘Come in,’ she said. Don’t wait.\n\n— Viens, dit-il.\n\n“All of this goes on\n\n“and on.” She left."
)


def read(text=TEXT, language="en-GB"):
    return Reading(text, language=language)


def test_sentences_end_where_a_reader_stops():
    reading = read()
    assert [reading.text[each.start : each.end] for each in reading.sentences][:3] == [
        "Mr. Reed came at 3 p.m.",
        "“Is it late?” he asked.",
        "“It’s\nnever late.”",
    ]


def test_breaks_and_headings_have_no_words():
    reading = read()
    assert [reading.text[each.start : each.end] for each in reading.paragraphs if each.is_break] == ["# One", "***"]
    assert "one" not in reading.words


@pytest.mark.parametrize(
    "speech", ["“Is it late?”", "“It’s\nnever late.”", "‘Come in,’", "— Viens, dit-il.", "“All of this goes on", "“and on.”"]
)
def test_speech_is_told_from_what_is_told(speech):
    reading = read()
    assert speech in [reading.text[place.start : place.end] for place in reading.speech]
    assert reading.is_spoken(TEXT.index(speech) + 1)
    assert not reading.is_spoken(TEXT.index("She left"))


def test_an_apostrophe_is_no_speech():
    assert read("Don't go to the dogs' home, it's 'orrible there.").speech == []


@given(st.text(alphabet=st.sampled_from("aB é.!?\n“”‘’\"'—*#夜。-"), max_size=60))
def test_every_part_lies_where_it_is_said_to_be(text):
    reading = read(text)
    assert [text[start:end] for start, end in zip(reading.starts, reading.ends, strict=True)] == reading.raw
    assert all(one.end <= other.start for one, other in pairwise(reading.sentences))
    assert all(one.last_word == other.first_word for one, other in pairwise(reading.sentences))
    assert sum(each.length for each in reading.sentences) == len(reading.words)
    assert all(one.end <= other.start for one, other in pairwise(reading.speech))
    for index, word in enumerate(reading.words):
        assert word
        sentence = reading.sentence_of(index)
        assert sentence.start <= reading.starts[index] < reading.ends[index] <= sentence.end


def spoken_in(text, **options):
    reading = read(text, **options)
    return [text[place.start : place.end] for place in reading.speech]


def test_without_blank_lines_each_line_is_a_paragraph():
    assert [read("One.\nTwo.\n").text[each.start : each.end] for each in read("One.\nTwo.\n").paragraphs] == ["One.", "Two."]
    assert len(read("One\ntwo.\n\nThree.").paragraphs) == 2


@pytest.mark.parametrize(
    ("text", "speech"),
    [
        ("»Ja«, sagte er. »Nein.«", ["»Ja«", "»Nein.«"]),
        ("„Ja“, sagte er.", ["„Ja“"]),
        ("« Oui », dit-il.", ["« Oui »"]),
        ("”Ja”, sa hon. ”Nej.”", ["”Ja”", "”Nej.”"]),
        ("‘Yes’, he said. The dogs’ bowls.", ["‘Yes’"]),
        ("'Yes,' he said, 'it's so.'", ["'Yes,'", "'it's so.'"]),
        ("「はい」と言った。", ["「はい」"]),
    ],
)
def test_speech_is_marked_in_the_way_of_many_countries(text, speech):
    assert spoken_in(text) == speech


def test_an_accent_or_a_vowel_sign_of_its_own_does_not_part_a_word():
    assert read("Cafe\u0301 noir. हिन्दी में", language="hi").words == ["cafe\u0301", "noir", "हिन्दी", "में"]


@pytest.mark.parametrize(
    ("text", "language", "spaced"),
    [
        ("He came.", "en", True),
        ("他来了。", "en", False),
        ("Er sah 他 und ging weg.", "de", True),
        ("เขามา", "th", False),
        ("", "en", True),
    ],
)
def test_texts_without_spaces_are_known_by_their_script_or_language(text, language, spaced):
    assert read(text, language=language).spaced is spaced


def test_told_words_are_those_that_nobody_speaks():
    assert read("“One two,” he said.").told == 2


def test_a_sentence_goes_on_behind_speech_in_any_alphabet():
    assert len(read("«Да!» сказал он. «Нет?» ответила она.", language="ru").sentences) == 2
