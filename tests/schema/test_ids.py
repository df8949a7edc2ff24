"""Global ids: one spelling for each entity, nothing else read."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import User
from domain.chapters import Chapter
from domain.errors import NotFound
from domain.projects import Project
from schema import ids


@given(st.sampled_from(list(ids.PREFIXES)), st.uuids())
def test_an_id_names_its_kind_and_its_entity_again(kind, value):
    text = ids.encode(kind, value)
    assert ids.decode(text) == (kind, value)
    assert text == text.lower()
    assert len(text.partition("_")[2]) == 26


@given(st.text(max_size=40))
def test_nothing_else_is_read(text):
    decoded = ids.decode(text)
    assert decoded is None or ids.encode(*decoded) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "project",
        "project_",
        "project_" + "0" * 25,
        "project_" + "0" * 27,
        "project_" + "z" * 26,
        "project_8" + "0" * 25,
        "Project_" + "0" * 26,
        "project_" + "O" * 26,
        "project_" + "u" * 26,
        "book_" + "0" * 26,
        " project_" + "0" * 26,
        str(UUID(int=1)),
    ],
)
def test_a_malformed_id_names_nothing(text):
    assert ids.decode(text) is None


def test_an_id_of_another_kind_is_not_found_and_told_as_it_was_sent():
    text = ids.encode(User, UUID(int=7))
    assert ids.find(Project, text) is None
    with pytest.raises(NotFound) as refusal:
        ids.require(Chapter, text, "input", "chapterId")
    assert (refusal.value.id, refusal.value.path) == (text, ("input", "chapterId"))


def test_ids_sort_as_their_uuids_do():
    values = [UUID(int=1 << shift) for shift in range(128)]
    texts = [ids.encode(Project, value) for value in values]
    assert texts == sorted(texts)
