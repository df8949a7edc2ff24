"""Parts tile the text, fit, and are cut where a reader would."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessing.judging.parts import parts_of
from tests.domain.assessing.judging.chapters import prose


def words(text):
    return len(text.split())


def cut(text, most, count=words):
    return [text[part.start : part.end] for part in parts_of(text, count=count, most=most)]


@settings(deadline=None)
@given(st.text(st.sampled_from("ab .\n*#”!\u2028。")), st.integers(1, 9))
def test_every_code_point_is_in_exactly_one_part_and_every_part_fits(text, most):
    parts = parts_of(text, count=len, most=most)
    assert parts[0].start == 0
    assert parts[-1].end == len(text)
    assert all(one.end == other.start for one, other in pairwise(parts))
    assert all(part.end - part.start <= most for part in parts)
    assert [(part.number, part.of) for part in parts] == [(number, len(parts)) for number in range(1, len(parts) + 1)]


def test_a_text_that_fits_is_one_part_and_so_is_none():
    assert cut("One two three.", 3) == ["One two three."]
    assert cut("", 3) == [""]


def scenes(*lengths, between="* * *"):
    chance = random.Random(3)
    return f"\n\n{between}\n\n".join(prose(chance, length) for length in lengths)


@pytest.mark.parametrize("between", ["* * *", "***", "#", "---", "## Later", "⁂"])
def test_scenes_stay_whole_where_they_can(between):
    first, second = cut(scenes(300, 250, between=between), 400)
    assert second.startswith(between)
    assert first.endswith("\n\n")


def test_without_a_break_paragraphs_stay_whole_then_sentences_then_words():
    for part in cut(scenes(900), 400)[1:]:
        assert part[0].isupper()
    text = scenes(900)
    assert all(text[: text.index(part)].endswith("\n\n") for part in cut(text, 400)[1:])
    line = text.replace("\n\n", " ")
    assert all(line[: line.index(part)].endswith(". ") for part in cut(line, 400)[1:])
    row = line.replace(".", "")
    assert all(row[: row.index(part)].endswith(" ") for part in cut(row, 400)[1:])


def test_parts_are_of_about_the_same_length():
    text = scenes(1_000, 1_000, 1_000, 1_000)
    sizes = [words(part) for part in cut(text, 600)]
    assert max(sizes) < 2.5 * min(sizes)


def test_a_text_without_any_border_is_cut_all_the_same():
    parts = cut("x" * 1_000, 99, count=len)
    assert "".join(parts) == "x" * 1_000
