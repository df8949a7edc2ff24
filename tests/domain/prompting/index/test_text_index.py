from hypothesis import given
from hypothesis import strategies as st

from domain.prompting.index import text_index
from domain.prompting.index.terms import terms
from domain.prompting.index.text_index import cleaned, index_text, pack, unpack


@given(st.text(max_size=3_000))
def test_an_index_is_kept_as_it_was_made(text):
    index = index_text(text)
    assert unpack(pack(index)) == index


@given(st.text(alphabet=st.sampled_from("abc def\n"), max_size=3_000))
def test_postings_count_every_term_of_every_passage(text):
    index = index_text(text)
    for number, (start, end) in enumerate(index.spans):
        found = list(terms(cleaned(text)[start:end]))
        assert index.lengths[number] == len(found)
        for term in set(found):
            posting = index.postings[term]
            assert dict(zip(posting[::2], posting[1::2], strict=True))[number] == found.count(term)


def test_what_nobody_sees_does_not_move_the_passages():
    assert index_text("\u200bOne\u202e two.\r\n") == index_text("One two.")


def test_an_index_of_another_format_is_not_read(monkeypatch):
    packed = pack(index_text("One two."))
    monkeypatch.setattr(text_index, "FORMAT", text_index.FORMAT + 1)
    assert unpack(packed) is None
