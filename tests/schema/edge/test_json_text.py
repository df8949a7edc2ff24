import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.edge import json_text

ANY_TEXT = st.text(st.characters() | st.characters(categories=["Cs"]))


@given(ANY_TEXT)
def test_any_text_is_read_from_json_as_it_was_sent(text):
    read = json_text.decode(json.dumps({"t": text}))
    # Two halves that follow each other are one character, in JSON as in a browser.
    assert read == {"t": text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")}


@given(ANY_TEXT)
def test_any_text_can_be_written(text):
    assert json.loads(json_text.encode({"t": text})) == {"t": text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")}


def test_whole_numbers_of_any_size_can_be_written():
    assert json_text.encode([2**80]) == b"[1208925819614629174706176]"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff",
        b"\xff\xfe{\x00}\x00",
        b'"\\ud800\xff"',
        b"NaN",
        b"[Infinity]",
        b"1e999",
        b"9" * 20_000,
        b"[" * 100_000,
        b'["\\ud800",' + b"[" * 100_000,
    ],
)
def test_everything_else_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011 - any message will do, the edge has its own
        json_text.decode(text)


def test_sixteen_megabytes_of_lone_surrogates_do_not_hold_the_server_up():
    text = b'["' + b"\\ud800" * (16 * 1024 * 1024 // 6) + b'"]'
    before = time.perf_counter()
    json_text.decode(text)
    assert time.perf_counter() - before < 5
