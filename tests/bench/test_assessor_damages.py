"""The frozen set is whole, and its damages are where they are said to be, every time."""

import json
from functools import cache
from pathlib import Path

import pytest

from bench.assessor.build import build
from bench.assessor.damages import DAMAGES, damaged
from bench.assessor.detection import detect
from bench.assessor.originals import SET, frozen
from bench.assessor.retelling_tense import in_present
from domain.assessing.assessment import FindingCategory, FindingSeverity, FoundIssue, Measurement

IN_THE_TEXT = frozenset(DAMAGES) - {"a scene cut", "an unmet brief beat"}


@cache
def originals():
    return tuple(frozen())


@cache
def all_damaged():
    return tuple(each for original in originals() for each in damaged(original))


def test_the_set_has_chapters_with_a_cast_a_brief_and_what_came_before():
    assert len(originals()) == 12
    for original in originals():
        assert 2_500 <= len(original.text.split()) <= 5_000
        assert len(original.material.earlier) == 2
        assert original.material.chapter.brief
        assert original.dead
        assert original.contradiction
        assert original.contradiction[0] in original.text


def test_the_set_is_small_enough_to_be_carried():
    assert sum(path.stat().st_size for path in SET.iterdir()) < 1_500_000


@pytest.mark.parametrize("kind", DAMAGES)
def test_every_original_is_damaged_in_every_way(kind):
    assert sum(each.kind == kind for each in all_damaged()) == len(originals())


@pytest.mark.parametrize("kind", sorted(IN_THE_TEXT))
def test_only_the_damaged_places_differ_from_the_original(kind):
    for each in all_damaged():
        if each.kind == kind:
            assert each.places
            kept, reached = [], 0
            for place in each.places:
                assert place.start < place.end
                kept.append(each.text[reached : place.start])
                reached = place.end
            for piece in [*kept, each.text[reached:]]:
                assert piece.strip() in each.original.text


def test_a_cut_scene_takes_a_quarter_to_nearly_half_of_the_chapter():
    for each in all_damaged():
        if each.kind == "a scene cut":
            assert 0.5 <= len(each.text.split()) / len(each.original.text.split()) <= 0.76


def test_an_unmet_beat_changes_the_brief_alone():
    for each in all_damaged():
        if each.kind == "an unmet brief beat":
            assert each.text == each.original.text
            assert each.beat in each.material.chapter.brief
            assert each.beat not in each.original.material.chapter.brief


def test_damages_are_the_same_every_time():
    first = originals()[0]
    assert [(each.kind, each.text, each.places) for each in damaged(first)] == [
        (each.kind, each.text, each.places) for each in damaged(first)
    ]


def test_a_passage_is_put_into_the_present_apart_from_speech():
    text = 'He went home and was tired. She had seen it. "I went," he said. They walked on, and could not stop.'
    told = [(0, text.index('"')), (text.rindex('"') + 1, len(text))]
    assert in_present(text, told) == 'He goes home and is tired. She has seen it. "I went," he says. They walk on, and can not stop.'


def test_what_was_made_can_be_written_out(tmp_path: Path):
    build(tmp_path)
    folders = sorted(tmp_path.iterdir())
    assert len(folders) == len(originals())
    described = json.loads((folders[0] / "tense-shift.json").read_text(encoding="utf-8"))
    text = (folders[0] / "tense-shift.md").read_text(encoding="utf-8")
    assert all(text[start:end] for start, end in described["places"])


def test_only_a_new_finding_at_the_damaged_place_counts():
    each = next(each for each in all_damaged() if each.kind == "a changed eye colour")
    place = each.places[0]

    def issue(start, severity=FindingSeverity.MINOR):
        quote = each.text[start : start + 5]
        return FoundIssue(
            category=FindingCategory.PROSE,
            severity=severity,
            message="m",
            suggestion="s",
            quote=quote,
            start=start,
            end=start + 5,
            metric="x",
        )

    def detected(*found, known=()):
        original = Measurement(metrics=(), findings=known, score=50.0)
        return detect(each, lambda *_: Measurement(metrics=(), findings=found, score=40.0), original)

    assert detected(issue(place.start)).by == ("x",)
    assert detected(issue(place.start)).is_lower
    assert detected(issue(place.end)).by == ()
    assert detected(issue(place.start), known=(issue(place.start),)).by == ()
    noted = detected(issue(place.start, FindingSeverity.NOTE))
    assert (noted.by, noted.noted_by) == ((), ("x",))
