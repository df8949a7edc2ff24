import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from commands.demo.sample import FOLDER, Fields, read_sample
from domain.projects import Genre, PointOfView, Tense
from domain.prompting.mentions import Mention, find_mentions
from domain.reference_files import InclusionPolicy, ReferenceFile, ReferenceKind
from domain.writing.checks import CHAPTER, PROJECT, REFERENCE_FILE, checked
from domain.writing.words import count_words

SAMPLE = read_sample()
CHARACTERS = [reference for reference in SAMPLE.references if reference["kind"] == "CHARACTER"]


def server_names(fields: Fields) -> Fields:
    return {re.sub("[A-Z]", lambda capital: "_" + capital.group().lower(), name): value for name, value in fields.items()}


def files(references: list[Fields] | tuple[Fields, ...]) -> list[ReferenceFile]:
    return [
        ReferenceFile(
            id=UUID(int=number),
            project_id=UUID(int=0),
            name=reference["name"],
            kind=ReferenceKind(reference["kind"]),
            aliases=tuple(reference["aliases"]),
            inclusion=InclusionPolicy(reference["inclusion"]),
            valid_from_chapter=reference.get("validFromChapter"),
            valid_until_chapter=reference.get("validUntilChapter"),
            media_type="text/markdown",
            size_bytes=len(reference["content"].encode()),
            token_count=0,
            sha256="",
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            updated_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for number, reference in enumerate(references, start=1)
    ]


def mentions(text: str) -> Iterator[tuple[Fields, Mention]]:
    for mention in find_mentions(text, files(SAMPLE.references)):
        yield SAMPLE.references[mention.file_id.int - 1], mention


def named_in(text: str) -> dict[str, set[str]]:
    """How each reference file is called in the text, by its name."""
    called: dict[str, set[str]] = {}
    for reference, mention in mentions(text):
        called.setdefault(reference["name"], set()).add(" ".join(mention.matched.split()).lower())
    return called


def test_the_api_would_accept_every_field_as_it_stands():
    for rules, entries in (
        (PROJECT, [SAMPLE.project]),
        (REFERENCE_FILE, SAMPLE.references),
        (CHAPTER, (*SAMPLE.chapters, SAMPLE.next_chapter)),
    ):
        for entry in entries:
            checked(server_names(entry), rules)


def test_every_enumeration_value_is_one_of_the_domain():
    assert Genre(SAMPLE.project["genre"])
    assert PointOfView(SAMPLE.project["pointOfView"])
    assert Tense(SAMPLE.project["tense"])
    assert {ReferenceKind(reference["kind"]) for reference in SAMPLE.references} >= {ReferenceKind.STYLE, ReferenceKind.RESEARCH}
    assert {InclusionPolicy(reference["inclusion"]) for reference in SAMPLE.references} == set(InclusionPolicy)


def test_every_text_in_the_folder_belongs_to_the_book_once():
    book = tomllib.loads((FOLDER / "book.toml").read_text(encoding="utf-8"))
    named = [entry["file"] for entry in (*book["reference"], *book["chapter"])]
    assert sorted(named) == sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*.md"))


def test_the_book_has_eight_chapters_six_characters_and_room_for_a_ninth():
    assert (len(SAMPLE.chapters), len(CHARACTERS)) == (8, 6)
    assert SAMPLE.next_chapter["targetWordCount"] == 450
    assert "text" not in SAMPLE.next_chapter


@pytest.mark.parametrize("chapter", SAMPLE.chapters, ids=lambda chapter: chapter["title"])
def test_a_chapter_is_a_page_or_two_of_prose_without_a_heading(chapter):
    assert 300 <= count_words(chapter["text"]) <= 450
    assert not chapter["text"].startswith("#")


@pytest.mark.parametrize("reference", SAMPLE.references, ids=lambda reference: reference["name"])
def test_a_note_is_short_and_has_no_heading(reference):
    assert 60 <= count_words(reference["content"]) <= 200
    assert not re.search("^#", reference["content"], re.MULTILINE)


@pytest.mark.parametrize("reference", SAMPLE.references, ids=lambda reference: reference["name"])
def test_the_book_itself_uses_every_alias(reference):
    book = "\n\n".join(f"{chapter['brief']}\n\n{chapter.get('text', '')}" for chapter in (*SAMPLE.chapters, SAMPLE.next_chapter))
    assert {alias.lower() for alias in reference["aliases"]} <= named_in(book).get(reference["name"], set())


def test_whoever_tells_a_chapter_is_in_the_cast():
    assert {chapter["pointOfViewCharacter"] for chapter in (*SAMPLE.chapters, SAMPLE.next_chapter)} <= {each["name"] for each in CHARACTERS}


def test_the_next_brief_calls_some_by_name_and_others_only_by_what_they_are():
    called = named_in(SAMPLE.next_chapter["brief"])
    assert called["Percy Hobday"] == {"the gauge man"}
    assert called["Walter Garside"] == {"the harbour master"}
    assert called["Winifred Jessop"] == {"the landlady"}
    assert called["Peg Stott"] == {"peg"}
    assert called["What the clerk wrote"] == {"the november page"}


def test_story_time_hides_the_secret_before_chapter_seven_and_the_legend_after_chapter_six():
    by_name = {file.name: file for file in files(SAMPLE.references)}
    secret, legend = by_name["What the clerk wrote"], by_name["What the inquiry found"]
    assert [position for position in range(1, 10) if secret.visible_at(position)] == [7, 8, 9]
    assert [position for position in range(1, 10) if legend.visible_at(position)] == [1, 2, 3, 4, 5, 6]
