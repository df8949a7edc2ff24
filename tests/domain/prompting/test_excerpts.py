"""Shorter forms end where a paragraph or a sentence does."""

from domain.llm.tokens import TokenCounter
from domain.prompting.candidates import TokenMeter
from domain.prompting.excerpts import ending, excerpt
from tests.domain.prompting.book import CHAPTER_2, MARA, MODEL

METER = TokenMeter(TokenCounter(), MODEL)


def test_an_excerpt_keeps_the_beginning_and_what_matters_and_marks_what_is_missing():
    short = excerpt(MARA, matters=lambda paragraph: "Tobias" in paragraph)
    assert short is not None
    assert len(short) < len(MARA) / 2
    assert short.startswith("Pilot of the shoals")
    assert "\n\n[…]\n\n## People\nShe owes Tobias Reck" in short
    assert short.endswith("\n\n[…]")
    assert all(part in MARA for part in short.split("\n\n[…]") if part)


def test_an_excerpt_of_one_long_paragraph_ends_with_a_sentence_and_of_a_list_with_a_line():
    paragraph = excerpt("The tide went out over the bar. " * 60, matters=lambda _: False)
    assert paragraph is not None
    assert paragraph.removesuffix("\n\n[…]").endswith("over the bar.")
    lines = [f"- Fact {number} of the harbour and its lamps." for number in range(60)]
    chosen = excerpt("\n".join(lines), matters=lambda line: "Fact 50 " in line)
    assert chosen is not None
    assert set(chosen.split("\n")) < set(lines)
    assert lines[0] in chosen
    assert lines[50] in chosen


def test_a_short_text_has_no_excerpt():
    assert excerpt("A baker. He limps when he lies.", matters=lambda _: True) is None


def test_an_ending_begins_with_a_paragraph_and_keeps_to_its_tokens():
    tail = ending(CHAPTER_2, tokens=60, meter=METER)
    assert METER.count(tail) <= 60
    assert CHAPTER_2.endswith(tail)
    assert tail.startswith("Joren Hale wrote")
    assert ending("Short.", tokens=60, meter=METER) == "Short."


def test_an_ending_within_one_long_paragraph_begins_with_a_sentence():
    tail = ending("The tide went out over the bar and nobody came. " * 100, tokens=50, meter=METER)
    assert tail.startswith("The tide went out")
    assert METER.count(tail) <= 50
