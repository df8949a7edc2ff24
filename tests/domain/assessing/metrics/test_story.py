"""What holds for every metric that looks at the project: findings quote what stands there, and nothing in a text upsets them."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assessing.metrics.cast import named_cast
from domain.assessing.metrics.pointing import LONGEST_QUOTE, MOST_FINDINGS
from domain.assessing.metrics.reading import Reading
from domain.assessing.metrics.story import STORY_METRICS
from domain.projects import PointOfView, Tense
from domain.reference_files import ReferenceKind
from tests.domain.assessing.metrics.story_book import MARA, TOBIAS, material
from tests.domain.prompting.book import reference

BOOKS = (
    material(
        earlier=("Mara Venn went down to the slip. Her green eyes were shut. She waited for the bell to ring in the fog, and it rang.",),
        references=(
            reference(11, "Mara Venn", MARA, aliases=("the pilot",)),
            reference(12, "Tobias Reck", f"{TOBIAS} He died in chapter 2."),
            reference(13, "Gullhaven", "A harbour town.", kind=ReferenceKind.WORLD),
            reference(14, "李明", "他是主角。"),
        ),
        brief="- Mara takes the brig out over the bar at dusk.\n- Tobias burns the ledger in his oven.",
        target=50,
    ),
    material(references=(), point_of_view=None, tense=None),
    material(point_of_view=PointOfView.FIRST, tense=Tense.PRESENT, narrator="Mara Venn", brief="x", target=1),
    material(point_of_view=PointOfView.THIRD_LIMITED, narrator="Mara Venn"),
    material(point_of_view=PointOfView.SECOND, tense=Tense.PRESENT, narrator=" "),
)
WORDS = st.sampled_from(
    [*["Mara", "Venn", "Marra", "Tobias", "said", "Tobias's", "walks", "walked", "I", "my", "we", "he", "she", "her", "his", "blue", "green", "eyes", "eyed", "was", "is", "had", "李明", "夜", "İ", "ß"], "the bell",
     "in that moment", "Tobias said.", "\n\n", "“", "”", '"', "‘", "’", ".", "?", ",", "—", "*", "_", "\x00", "\ud800", "\u200b", "\r\n", "#", "5"]
)  # fmt: skip
TEXTS = st.lists(WORDS, max_size=60).map(" ".join) | st.text(max_size=80)


def all_taken(text, book, language="en"):
    reading = Reading(text, language=language)
    return {metric.name: metric.take(reading, book) for metric in STORY_METRICS}


@pytest.mark.parametrize("book", BOOKS)
@given(text=TEXTS)
def test_every_finding_quotes_what_stands_where_it_points(book, text):
    for name, measured in all_taken(text, book).items():
        if measured is None:
            continue
        assert measured.value >= 0
        assert len(measured.findings) <= MOST_FINDINGS
        for issue in measured.findings:
            assert issue.metric == name
            assert issue.message
            assert issue.suggestion
            if issue.start is None:
                assert (issue.quote, issue.end) == ("", None)
            else:
                assert issue.quote
                assert text[issue.start : issue.end] == issue.quote
                assert len(issue.quote) <= LONGEST_QUOTE


@given(text=TEXTS)
def test_the_same_text_measures_the_same_whatever_is_remembered(text):
    fresh = material(earlier=BOOKS[0].earlier[0].content.text.split("\n\n"), brief="Mara takes the brig out over the bar.", target=50)
    first = all_taken(text, fresh)
    assert all_taken(text, fresh) == first


@pytest.mark.parametrize("book", BOOKS)
def test_an_empty_text_says_nothing_of_its_places(book):
    for measured in all_taken("", book).values():
        assert measured is None or all(issue.start is None for issue in measured.findings)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "Mara " * 20_000,
        "Mara said " * 10_000,
        "Tobias said, " * 8_000,
        "her blue eyes " * 8_000,
        "eyes, " * 20_000,
        "I was " * 15_000 + ".",
        "He is. " * 15_000,
        "in that moment " * 7_000,
        "\x00" * 100_000,
        "\ud800" * 50_000,
        '"' * 100_000,
        "*_" * 50_000,
        "My dear Mara,\n\n" * 6_000,
        "夜" * 50_000,
        "\n" * 100_000,
    ],
)
def test_hostile_texts_are_measured_in_time_by_their_length(text):
    for book in BOOKS[:1]:
        all_taken(text, book)


@pytest.mark.parametrize(("text", "language"), [("李明走进来。他的眼睛是蓝色的。" * 30, "zh"), ("Мара вошла. Она молчала." * 30, "ru")])
def test_other_languages_are_measured_as_well(text, language):
    book = material(earlier=(text,), brief="- 李明走进来\n- Мара вошла", target=100, language=language)
    for metric in STORY_METRICS:
        if not metric.english_only:
            metric.take(Reading(text, language=language), book)


def test_several_threads_may_measure_with_one_memory():
    text = "Mara said nothing. Her blue eyes were shut. She waited for the bell to ring in the fog, and it rang. " * 20
    expected = all_taken(text, BOOKS[0])
    with ThreadPoolExecutor(4) as threads:
        assert all(each == expected for each in threads.map(lambda _: all_taken(text, BOOKS[0]), range(8)))


def test_nothing_of_a_reading_is_kept_when_it_is_gone():
    reading = Reading("Mara said nothing.", language="en")
    for metric in STORY_METRICS:
        metric.take(reading, BOOKS[0])
    gone = weakref.ref(reading)
    del reading
    gc.collect()
    assert gone() is None


def test_a_possessive_belongs_to_the_name():
    reading = Reading("Mara's boat, the boat of Mara Venn, Tobias’s knife", language="en")
    named = named_cast(reading, BOOKS[0]).named
    assert [(reading.raw[each.first : each.last], each.is_possessive) for each in named] == [
        (["Mara's"], True),
        (["Mara", "Venn"], False),
        (["Tobias’s"], True),
    ]


def test_names_are_distinct_and_every_metric_says_what_it_is():
    assert len({metric.name for metric in STORY_METRICS}) == len(STORY_METRICS) == 10
    assert all(metric.description and metric.unit and metric.noise >= 0 for metric in STORY_METRICS)
