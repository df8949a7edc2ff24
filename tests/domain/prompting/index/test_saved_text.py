"""A saved text comes back with its index, and an index that is not its own is never used."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.prompting.index import saved_text, text_index
from domain.prompting.index.saved_text import SEAL_BYTES, NewText, StoredText
from domain.prompting.index.text_index import indexed

TEXT = "\u200bMara keeps the light.\r\n\r\nTobias does not. "


def stored(text: str, index: bytes | None = None) -> StoredText:
    return StoredText(text, NewText.of(text).index if index is None else index)


@given(st.text(max_size=2_000))
def test_what_was_saved_is_what_would_be_made(text):
    assert stored(text).indexed() == indexed(text)


def test_an_index_that_was_saved_is_not_made_again(monkeypatch):
    found = stored(TEXT)
    expected = indexed(TEXT)
    monkeypatch.setattr(saved_text, "indexed", lambda text: pytest.fail("made again"))
    assert found.indexed() == expected


@pytest.mark.parametrize("index", [None, b"", b"\0" * SEAL_BYTES, b"\0" * 100])
def test_without_an_index_that_can_be_read_one_is_made(index):
    assert StoredText(TEXT, index).indexed() == indexed(TEXT)


def test_the_index_of_another_text_is_not_used():
    """As a server leaves it behind that changes a content and knows nothing of indexes."""
    assert stored("Tobias lies.", NewText.of(TEXT).index).indexed() == indexed("Tobias lies.")


@pytest.mark.parametrize("body", [zlib.compress(b"[2,{}]"), b"packed in another way"])
def test_an_index_of_another_format_is_not_looked_into(monkeypatch, body):
    monkeypatch.setattr(text_index, "FORMAT", text_index.FORMAT + 1)
    of_another = NewText.of(TEXT).index[:SEAL_BYTES] + body
    monkeypatch.undo()
    assert stored(TEXT, of_another).indexed() == indexed(TEXT)
