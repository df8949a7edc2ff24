"""What the book has made of each file so far."""

from math import log, log1p, log2
from uuid import UUID

import pytest

from domain.prompting.appearances import appearances
from domain.prompting.index.text_index import indexed
from domain.prompting.lanes.history import NEVER, Chapter, history
from domain.prompting.mentions import NameIndex
from tests.domain.prompting.book import file

MARA, JOREN, TOBIAS, QUAY = (UUID(int=number) for number in (1, 2, 3, 4))
NAMES = NameIndex([file(1, "Mara"), file(2, "Joren"), file(3, "Tobias"), file(4, "the Quay")])
FILES = {MARA: True, JOREN: True, TOBIAS: True, QUAY: False}


def past(*texts):
    contents = [indexed(text) for text in texts]
    return history(FILES, [Chapter(content.index.spans, appearances(content, NAMES)) for content in contents])


def test_of_a_book_without_chapters_nothing_is_known():
    made = past()
    assert made.casts == []
    assert (made.stage, made.last_cast, made.recently, made.chapters_with) == ({}, {}, {}, {})
    assert {file_id: made.static[file_id]["absence"] for file_id in FILES} == dict.fromkeys(FILES, log1p(NEVER))
    assert [made.static[file_id]["cast_size"] for file_id in FILES] == pytest.approx([0.3] * 4)
    assert {made.static[file_id]["usual_weight"] for file_id in FILES} == {2.2}


def test_whoever_is_named_is_present_with_a_weight_that_grows_by_the_logarithm():
    made = past("Mara. Mara. Mara. Mara. Joren.", "Joren on the Quay.")
    assert made.casts == [{MARA: 1 + log2(4), JOREN: 1.0}, {JOREN: 1.0, QUAY: 1.0}]
    assert made.chapters_with == {MARA: [0], JOREN: [0, 1], QUAY: [1]}
    assert made.last_cast == {JOREN: log1p(1)}


def test_recent_chapters_count_more_than_early_ones():
    early, late = past("Mara.", "Rain.", "Rain."), past("Rain.", "Rain.", "Mara.")
    for name in ("recent", "prominence"):
        assert late.static[MARA][name] > early.static[MARA][name] >= 0
    assert late.static[MARA]["absence"] == 0 < early.static[MARA]["absence"] == log1p(2)
    assert late.recently[MARA] > early.recently[MARA]
    assert late.fading == sorted(late.fading)


def test_who_is_mostly_there_and_was_missing_last_time_is_a_regular_away():
    made = past("Mara.", "Mara and Joren.", "Joren.")
    assert made.static[MARA]["away_regular"] == pytest.approx(2 / 3)
    assert made.static[JOREN]["away_regular"] == made.static[TOBIAS]["away_regular"] == 0
    assert made.static[MARA]["last_but_one"] == log1p(1)
    assert made.static[MARA]["once_only"] == made.static[TOBIAS]["once_only"] == 0
    assert past("Mara.", "Rain.").static[MARA]["once_only"] == 1


def test_prominence_is_a_share_among_characters_or_among_the_others():
    made = past("Mara. Mara. Joren. The Quay.")
    assert made.static[MARA]["prominence"] == pytest.approx(2 / 3)
    assert made.static[JOREN]["prominence"] == pytest.approx(1 / 3)
    assert made.static[QUAY]["prominence"] == 1.0


def test_how_common_and_how_often_named_by_the_chapter():
    made = past("Mara. Mara. Mara.", "Mara.", "Rain.", "Rain.")
    assert made.static[MARA]["commonness"] == pytest.approx(log(0.5 + 0.02))
    assert made.static[MARA]["per_chapter"] == pytest.approx(log1p(4 / 4))
    assert made.static[TOBIAS]["per_chapter"] == 0


def test_usual_weight_moves_away_from_the_mean_as_more_is_known():
    once, often = (past(*["Mara. " * 16] * number).static[MARA]["usual_weight"] for number in (1, 6))
    assert 2.2 < once < often < 1 + log2(16)


def test_the_page_holds_the_last_thousand_tokens_across_chapters_and_the_stage_sums_to_one():
    wide = "x" * 1_000
    made = past("Mara waited.", f"Joren waited. {wide}", f"Tobias waited. {wide}")
    assert made.static[MARA]["on_page"] == log1p(1)
    far = past("Mara waited.", *[f"Joren waited. {wide}"] * 6)
    assert far.static[MARA]["on_page"] == 0
    assert sum(made.stage.values()) == pytest.approx(1)
    assert made.stage[TOBIAS] > made.stage[JOREN] > made.stage[MARA] > 0
    assert QUAY not in past("The Quay. Mara.").stage


def test_what_is_only_said_is_on_the_page_but_not_told():
    made = past("“Mara!” said Joren.")
    assert (made.static[MARA]["on_page"], made.static[MARA]["on_page_told"]) == (log1p(1), 0)
    assert made.static[JOREN]["on_page_told"] == log1p(1)


def test_a_narrator_says_i_and_is_called_by_name_but_never_told_of():
    first = past("I went down to the boats. My hands were cold. “Mara, come here,” said Joren. I came. " * 3)
    assert first.static[MARA]["narrator"] > 0.3
    assert first.static[JOREN]["narrator"] == first.static[TOBIAS]["narrator"] == first.static[QUAY]["narrator"] == 0
    third = past("She went down to the boats. Her hands were cold. “Mara, come here,” said Joren. She came. " * 3)
    assert third.static[MARA]["narrator"] == 0


def test_a_book_that_carries_its_characters_on_expects_them_again():
    steady = past("Mara. Joren.", "Mara. Joren.", "Mara. Joren.")
    changing = past("Mara.", "Joren.", "Tobias.", "Mara.")
    assert steady.static[MARA]["steady_recent"] > 0 > changing.static[MARA]["steady_recent"]


def test_the_size_of_the_cast_is_the_share_of_characters_that_recent_chapters_need():
    all_of_them, hardly_any = past(*["Mara. Joren. Tobias."] * 5), past(*["Mara."] + ["Rain."] * 4)
    assert all_of_them.static[MARA]["cast_size"] == pytest.approx((15 + 0.9) / (3 * 6))
    assert hardly_any.static[MARA]["cast_size"] == pytest.approx((1 + 0.9) / (3 * 6))
    assert past("Mara.", *["Rain."] * 5).static[MARA]["cast_size"] == pytest.approx(0.9 / (3 * 6))
    assert past("The Quay. Mara.").size > 0
