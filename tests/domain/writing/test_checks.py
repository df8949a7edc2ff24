"""What the system accepts, case by case."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput, LimitExceeded
from domain.writing import checks

PATH = ("input", "field")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_characters_of_a_text_are_kept_as_they_are(text):
    assert checks.clean(text, PATH) == text


@pytest.mark.parametrize(
    ("sent", "kept"), [("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("a\r\r\nb", "a\n\nb"), ("a\n\rb", "a\n\nb"), ("\ta", "\ta")]
)
def test_lines_end_in_lf(sent, kept):
    assert checks.clean(sent, PATH) == kept


@given(st.sampled_from([*map(chr, range(32)), *map(chr, range(0x7F, 0xA0))]).filter(lambda character: character not in "\t\n\r"))
def test_control_characters_are_refused(character):
    with pytest.raises(InvalidInput):
        checks.clean(f"a{character}b", PATH)


@pytest.mark.parametrize("half", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_halves_of_surrogate_pairs_are_refused(half):
    with pytest.raises(InvalidInput):
        checks.clean(chr(half), PATH)


def test_decomposed_and_composed_letters_stay_different():
    assert checks.clean("e\u0301", PATH) != checks.clean("é", PATH)


@pytest.mark.parametrize(
    "tag", ["en", "pt-BR", "zh-Hant-TW", "de-CH-1996", "sl-rozaj-biske", "es-419", "en-US-x-twain", "yue", "de-a-ext1"]
)
def test_language_tags_are_accepted(tag):
    assert checks.language_tag(tag, PATH) == tag


@pytest.mark.parametrize("tag", ["", "e", "en_US", "en-", "-en", "english language", "en-US-", "ën", "en\n", "x" * 36, "123"])
def test_what_is_no_language_tag_is_refused(tag):
    with pytest.raises(InvalidInput):
        checks.language_tag(tag, PATH)


@pytest.mark.parametrize("value", ["0", "-0", "0.000001", "999999", "1e3", "12.500000000"])
def test_amounts_are_accepted(value):
    assert checks.amount(Decimal(value), PATH) == Decimal(value)


@pytest.mark.parametrize("value", ["-0.000001", "0.0000001", "999999.000001", "1e7"])
def test_amounts_out_of_bounds_or_too_fine_are_refused(value):
    with pytest.raises(InvalidInput):
        checks.amount(Decimal(value), PATH)


def test_a_document_is_measured_in_bytes():
    accept = checks.document("textBytes", 4)
    assert accept("éé", PATH) == "éé"
    with pytest.raises(LimitExceeded) as refusal:
        accept("ééx", PATH)
    assert (refusal.value.limit_name, refusal.value.limit, refusal.value.path) == ("textBytes", 4, PATH)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 2.1])
def test_numbers_out_of_bounds_are_refused(value):
    with pytest.raises(InvalidInput):
        checks.between(0, 2)(value, PATH)


def test_fields_are_named_as_clients_spell_them():
    with pytest.raises(InvalidInput) as refusal:
        checks.checked({"point_of_view_character": ""}, checks.CHAPTER)
    assert refusal.value.path == ("input", "pointOfViewCharacter")


def test_messages_never_repeat_what_was_typed():
    with pytest.raises(InvalidInput) as refusal:
        checks.email_address("secret words", PATH)
    assert "secret" not in refusal.value.message


@pytest.mark.parametrize("rules", [checks.PROJECT, checks.SETTINGS, checks.CHAPTER, checks.REFERENCE_FILE, checks.GENERATION])
def test_null_clears_only_what_may_be_empty(rules):
    for name, rule in rules.items():
        if rule.clearable:
            assert checks.checked({name: None}, rules) == {name: None}
        else:
            with pytest.raises(InvalidInput, match="cleared"):
                checks.checked({name: None}, rules)


@pytest.mark.parametrize("text", ["", " \n\t", "x" * 2_001, "a\x00b"])
def test_a_reason_says_something_and_not_too_much(text):
    with pytest.raises(InvalidInput) as refusal:
        checks.checked({"reason": text}, checks.DISMISSAL)
    assert refusal.value.path == ("input", "reason")


def test_a_reason_is_kept_as_it_is():
    assert checks.checked({"reason": " Meant so.\r\n"}, checks.DISMISSAL) == {"reason": " Meant so.\n"}
