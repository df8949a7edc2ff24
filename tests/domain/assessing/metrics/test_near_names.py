"""A name that is nearly one of the cast's is a slip, unless it is somebody, or a word."""

import pytest

from domain.assessing.metrics.near_names import NAME_NEAR_MISSES
from domain.reference_files import ReferenceKind
from tests.domain.assessing.metrics.story_book import material, quotes, taken
from tests.domain.prompting.book import reference

BOOK = material(
    references=(
        reference(11, "Elizabeth Fairweather", "", aliases=("Lizzy",)),
        reference(12, "Tobias Reck", ""),
        reference(13, "Gullhaven", "", kind=ReferenceKind.WORLD),
        reference(14, "Frances", ""),
        reference(15, "The Winters", "", kind=ReferenceKind.OUTLINE),
    )
)


@pytest.mark.parametrize("name", ["Elisabeth", "Tobais", "Gulhaven", "Fairwheather", "TOBAIS"])
def test_a_near_miss_is_found_where_it_stands(name):
    assert quotes(NAME_NEAR_MISSES, f"It was late. They waited for {name} at the slip.", BOOK) == [name]


def test_the_right_name_could_stand_instead():
    (issue,) = taken(NAME_NEAR_MISSES, "It was Tobais’s lamp.", BOOK).findings
    assert (issue.quote, issue.replacement) == ("Tobais’s", "Tobias’s")


@pytest.mark.parametrize(
    "text",
    [
        "Elizabeth's boat, the Fairweathers, Gullhavenish weather, ELIZABETH, Lizzie",
        "tobais in small letters",
        "Francis is another name than Frances",
        "Gary, Lzzy, Dobias and Tob are too short, too far, or begin otherwise",
        "Tobais came. Tobais sat. Tobais went: a person of its own",
        "Winter came, and Winters are no cast",
    ],
)
def test_what_is_no_slip_is_let_be(text):
    assert quotes(NAME_NEAR_MISSES, text, BOOK) == []


def test_whom_an_earlier_chapter_knows_is_somebody():
    known = material(references=list(BOOK.references), earlier=("Elisabeth sold them the bread.",))
    assert quotes(NAME_NEAR_MISSES, "They waited for Elisabeth.", known) == []


@pytest.mark.parametrize(("language", "text"), [("de", "Da kam Elisabeth herein."), ("ru", "Вошла Елизовета.")])
def test_any_language_with_capitals_is_looked_at(language, text):
    book = material(references=(*BOOK.references, reference(20, "Елизавета", "")), language=language)
    assert len(quotes(NAME_NEAR_MISSES, text, book, language=language)) == 1


def test_a_book_without_names_is_not_measured():
    assert taken(NAME_NEAR_MISSES, "Elisabeth", material(references=())) is None


def test_a_noun_of_a_language_that_capitalises_nouns_is_no_name():
    book = material(references=(reference(11, "Haber", ""), reference(12, "Elisabeth", "")), language="de")
    assert quotes(NAME_NEAR_MISSES, "Der Hader war groß, und Elizabeth schwieg.", book, language="de") == ["Elizabeth"]
    assert quotes(NAME_NEAR_MISSES, "There was Hafer.", material(references=book.references)) == []
    assert quotes(NAME_NEAR_MISSES, "There was Haper.", material(references=book.references)) == ["Haper"]
