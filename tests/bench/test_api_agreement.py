"""Two servers' answers say the same, however they spell ids, times and cursors; and nothing else passes for the same."""

from uuid import UUID

import orjson
import pytest

from bench.api.agreement import content
from domain.chapters import Chapter
from schema.ids import encode

CHAPTER = UUID("019c0000-0000-7000-8000-000000000001")


def answer(**changes):
    chapter = {"id": encode(Chapter, CHAPTER), "title": "Low water", "updatedAt": "2026-03-01T12:00:00.000000Z", "endCursor": "WzFd"}
    return orjson.dumps({"data": {"chapters": [{**chapter, **changes}]}})


def test_spelling_makes_no_difference():
    plain = answer(id=str(CHAPTER), updatedAt="2026-03-01T12:00:00+00:00", endCursor=str(CHAPTER))
    assert content(plain, written=False) == content(answer(), written=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": str(UUID(int=7))},
        {"title": "High water"},
        {"updatedAt": "2026-03-01T12:00:01Z"},
        {"endCursor": None},
        {"summary": None},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_value_is_another_content(changes):
    assert content(answer(**changes), written=False) != content(answer(), written=False)


def test_the_moment_of_writing_is_left_open():
    assert content(answer(updatedAt="2026-03-01T12:00:01Z"), written=True) == content(answer(), written=True)


def test_an_answer_with_errors_has_no_content():
    with pytest.raises(ValueError, match="not found"):
        content(b'{"data": {"chapter": null}, "errors": [{"message": "not found"}]}', written=False)
