"""Quotes are found as a careless copyist types them, told apart by their surroundings, and never guessed."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessing.quotes import Place, QuotedText, same_quote
from domain.prompting.untrusted import clean

TEXT = "“It’s *never* late,” she said.\n\nShe shut the door. Then he came.\n\n“No.” She shut the door. Then it rained — hard."


def quoted(text, quote, **context):
    place = QuotedText(text).find(quote, **context)
    return None if place is None else text[place.start : place.end]


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ('"It\'s never late," she said.', "“It’s *never* late,” she said."),
        ("late,” she said. She shut the door.", "late,” she said.\n\nShe shut the door."),
        ("...Then it rained - hard...", "Then it rained — hard"),
        ("… it rained …", "it rained"),
        ("it rained.", None),
        ("he shut the door", None),
        ("She shut the", "She shut the"),
        ("", None),
        ("“…”", None),
    ],
)
def test_what_is_forgiven_and_what_is_not(quote, found):
    assert quoted(TEXT, quote) == found


def test_the_same_words_twice_are_told_apart_by_what_stands_around_them():
    first, second = TEXT.index("She shut"), TEXT.rindex("She shut")
    end = len("She shut the door.")
    text = QuotedText(TEXT)
    assert text.find("She shut the door.") == Place(first, first + end)
    assert text.find("She shut the door.", after="Then it") == Place(second, second + end)
    assert text.find("She shut the door.", before='"No."') == Place(second, second + end)


@settings(deadline=None)
@given(st.text(), st.data())
def test_any_part_of_any_text_is_found_as_itself(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    quote = text[start:end]
    found = quoted(text, quote)
    assert found is None or same_quote(found, quote.strip('."…()[] ')) or same_quote(found, quote)


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("She sh\u00adut the\u200b door.\ufeff Then", "She shut the door. Then", "She sh\u00adut the\u200b door.\ufeff Then"),
        ("One\r\ntwo\rthree\u2028four\u0085five", "two three four five", "two\rthree\u2028four\u0085five"),
        ("pay\u202eeht\u202c now", "payeht now", "pay\u202eeht\u202c now"),
        ("a\x1cb c", "ab c", "a\x1cb c"),
        ("a b", "a\u200b b", "a b"),
        ("half \ud800 a pair", "half \ufffd a pair", "half \ud800 a pair"),
        ("\u200bhidden", "\u200b\u200b", None),
    ],
)
def test_what_nobody_can_see_is_forgiven_as_cleaning_leaves_it_out(text, quote, found):
    assert quoted(text, quote) == found


@settings(deadline=None)
@given(st.text(st.sampled_from("ab .\n\r\u0085\u2028\u200b\u00ad\x1c\x0b\u202e\U000e0041\ud800*“é")), st.data())
def test_what_is_quoted_from_the_cleaned_text_is_found_in_the_text_as_it_is_kept(text, data):
    shown = clean(text)
    start = data.draw(st.integers(0, len(shown)))
    quote = shown[start : data.draw(st.integers(start, len(shown)))]
    whole_words = (
        not re.search(r"^\W*$", quote) and not re.search(r"\w$", shown[:start]) and not re.match(r"\w", shown[start + len(quote) :])
    )
    found = quoted(text, quote)
    if whole_words:
        assert found is not None
        assert same_quote(found, quote) or same_quote(found, quote.strip('."…()[] \n'))


def test_a_word_that_stands_everywhere_is_no_burden():
    text = "a b " * 50_000
    place = QuotedText(text).find("a b", before="b a b", after="a b")
    assert place is not None
    assert text[place.start : place.end] == "a b"
