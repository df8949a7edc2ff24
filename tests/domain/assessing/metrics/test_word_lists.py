"""The data files say who wrote them, hold what the code can meet in a text, and stay small."""

from pathlib import Path

import pytest

from domain.assessing.metrics import word_lists
from domain.assessing.metrics.prose_metrics import PROSE_METRICS
from domain.assessing.metrics.reading import Reading
from domain.assessing.metrics.typical import typical_ranges
from domain.assessing.metrics.word_lists import common_phrases, english, slop_phrases, slop_words

FOLDER = Path(word_lists.__file__).parent
DATA = sorted([*FOLDER.glob("*.toml"), *FOLDER.glob("*.txt")])
MOST_BYTES = 300_000


def test_the_files_are_small_together():
    assert len(DATA) >= 4
    assert sum(path.stat().st_size for path in DATA) < MOST_BYTES


@pytest.mark.parametrize("path", DATA, ids=lambda path: path.name)
def test_a_file_says_its_licence_and_how_it_was_made(path):
    heading = "".join(line for line in path.read_text(encoding="utf-8").splitlines(keepends=True)[:6] if line.startswith("#"))
    assert "MIT" in heading
    assert any(word in heading for word in ("Written", "Counted", "Made"))


def test_every_listed_word_is_one_word_of_a_text():
    for word in [*slop_words(), *english("function_words"), *english("filter_verbs"), *english("said_bookish")]:
        assert Reading(word, language="en").words == [word]


def test_every_listed_phrase_is_made_of_words_of_a_text():
    phrases = [phrase for group in slop_phrases().values() for phrase in group]
    assert len(phrases) > 300
    for phrase in phrases:
        assert Reading(" ".join(phrase), language="en").words == list(phrase)


def test_no_verb_is_both_plain_and_showy():
    assert not english("said_plainly") & english("said_bookish")


def test_common_phrases_are_rates_in_a_thousand_words():
    assert 0.05 < common_phrases()["young man"] < 1
    assert all(len(phrase.split()) in {2, 3} for phrase in common_phrases())


def test_typical_ranges_are_known_for_the_metrics_and_for_nothing_else():
    assert set(typical_ranges()) == {metric.name for metric in PROSE_METRICS}
    for typical in typical_ranges().values():
        assert typical.low < typical.high
        assert "public-domain novels" in typical.source


def test_where_a_range_was_widened_its_source_says_so():
    assert "Widened" in typical_ranges()["sentenceLength"].source
    assert "Widened" not in typical_ranges()["mattr500"].source
