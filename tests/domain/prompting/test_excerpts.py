"""Shorter forms begin and end where a paragraph or a sentence does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.llm.tokens import TokenCounter
from domain.prompting.candidates import TokenMeter
from domain.prompting.excerpts import SIZES, ending, forms, quote
from domain.prompting.index.text_index import indexed
from tests.domain.prompting.book import CHAPTER_2, MARA, MODEL

METER = TokenMeter(TokenCounter(), MODEL)


def test_a_short_form_keeps_the_beginning_and_what_matters_and_marks_what_is_missing():
    content = indexed(MARA)
    speech = next(number for number, (start, end) in enumerate(content.index.spans) if "state of the tide" in content.text[start:end])
    _, short, whole = forms(content, {speech: 1.0})
    text = quote(content.text, short.spans)
    assert text.startswith("Pilot of the shoals")
    assert "\n\n[…]\n\n## Speech\nShort sentences." in text
    assert "long ice" not in text
    assert not short.complete
    assert whole.complete
    assert quote(content.text, whole.spans) == content.text


@given(
    st.text(alphabet=st.sampled_from("ab .!?\n#。é"), min_size=1, max_size=9_000).filter(str.strip),
    st.dictionaries(st.integers(0, 9), st.floats(0, 1)),
)
def test_forms_grow_keep_to_their_sizes_and_hold_each_other(text, relevance):
    content = indexed(text)
    offered = list(forms(content, relevance))
    assert [form.complete for form in offered] == [False] * (len(offered) - 1) + [True]
    assert all(form.characters <= size for form, size in zip(offered[:-1], SIZES, strict=False))
    assert [form.characters for form in offered] == sorted(form.characters for form in offered)
    for form in offered:
        assert form.spans[0][0] == 0
        assert all(0 <= start < end <= len(content.text) for start, end in form.spans)
        assert all(one[1] <= other[0] for one, other in zip(form.spans, form.spans[1:], strict=False))
        parts = [part for part in quote(content.text, form.spans).split("\n\n[…]\n\n") if part != "[…]"]
        assert all(part.removesuffix("\n\n[…]") in content.text for part in parts)


def test_a_short_text_has_no_shorter_form():
    (only,) = forms(indexed("A baker. He limps when he lies."), {})
    assert only.complete


@pytest.mark.parametrize(("text", "end"), [("The tide went out over the bar. " * 60, "over the bar."), ("tide " * 400, "tide")])
def test_a_beginning_ends_with_a_sentence_or_else_with_a_word(text, end):
    shortest, *_ = forms(indexed(text), {})
    assert quote(text.strip(), shortest.spans).removesuffix("\n\n[…]").endswith(end)


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
