import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.llm.event_stream import MAXIMUM_EVENT_BYTES, EventStream, EventTooLarge


def read(*chunks: bytes) -> list[bytes]:
    stream = EventStream()
    return [data for chunk in chunks for data in stream.feed(chunk)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
        (b"data: a\r\rdata: b\r\r\n", [b"a", b"b"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data:a\n\ndata:  b\n\n", [b"a", b" b"]),
        (b": comment\n\n\n\nevent: x\nid: 1\nretry: 5\ndata: a\n\n", [b"a"]),
        (b"event: only a name\n\n", []),
        (b"data\n\n", [b""]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"data: incomplete\n", []),
        (b"", []),
    ],
)
def test_events_are_read_by_the_rules_of_the_standard(stream, events):
    assert read(stream) == events


@given(
    st.lists(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n"), max_size=20), max_size=6),
    st.sampled_from(["\n", "\r\n"]),
    st.lists(st.integers(1, 7), min_size=1, max_size=8),
)
def test_where_packets_end_makes_no_difference(texts, line_end, sizes):
    whole = "".join(f"data: {text}{line_end}data: more{line_end}{line_end}" for text in texts).encode()
    chunks, at, number = [], 0, 0
    while at < len(whole):
        size = sizes[number % len(sizes)]
        chunks.append(whole[at : at + size])
        at, number = at + size, number + 1
    assert read(*chunks) == [f"{text}\nmore".encode() for text in texts]


def test_an_event_without_end_is_refused_before_it_fills_the_memory():
    with pytest.raises(EventTooLarge):
        read(*[b"x" * 65_536] * (MAXIMUM_EVENT_BYTES // 65_536 + 1))
    with pytest.raises(EventTooLarge):
        read(*[b"data: " + b"x" * 65_536 + b"\n"] * (MAXIMUM_EVENT_BYTES // 65_536 + 1))
