"""Novels in the benchmark's form become chapters with a project."""

import gzip
import json

import pytest

from bench.assessor.damages import damaged
from bench.assessor.novel_file import chapter_texts
from bench.assessor.originals import of_novels
from domain.reference_files import ReferenceKind

SENTENCE = "Mara Venn went down to the slip in the {n} fog and counted the slow bell while the men waited for her word number{n}."


@pytest.fixture
def folder(tmp_path):
    passages = [[f"p{chapter}", chapter, "\n".join(SENTENCE.format(n=100 * chapter + n) for n in range(90)), 1] for chapter in (1, 2, 3)]
    novel = {
        "novel": "the-slip",
        "sections": [{"k": k, "chapter": k, "part": 1, "parts": 1} for k in (1, 2, 3)],
        "passages": passages,
        "entities": [
            {"id": "char:mara", "kind": "character", "versions": [
                {"from": 2, "names": ["Mara Venn", "Mara"], "text": "She is a pilot.", "tokens": 4},
                {"from": 3, "names": ["Mara Venn"], "text": "She is a master.", "tokens": 4},
            ]},
            {"id": "place:slip", "kind": "place", "versions": [{"from": 3, "names": ["The Slip"], "text": "Wet.", "tokens": 1}]},
        ],
    }  # fmt: skip
    (tmp_path / "the-slip.json.gz").write_bytes(gzip.compress(json.dumps(novel).encode()))
    (tmp_path / "the-slip.mentions.json.gz").write_bytes(b"not a novel")
    return tmp_path


def test_lines_become_paragraphs(folder):
    texts = chapter_texts(folder / "the-slip.json.gz")
    assert list(texts) == [1, 2, 3]
    assert texts[2].split("\n\n")[1] == SENTENCE.format(n=201)


def test_a_chapter_knows_what_was_known_before_it(folder):
    (original,) = of_novels(folder, [], every=1000)
    assert original.name == "the-slip 2"
    assert [each.file.name for each in original.material.references] == ["Mara Venn"]
    assert original.material.references[0].content.text == "She is a pilot."
    assert original.material.references[0].file.kind is ReferenceKind.CHARACTER
    assert [each.chapter.position for each in original.material.earlier] == [1]
    assert len(original.material.chapter.brief.splitlines()) == 6


def test_other_novels_are_damaged_as_far_as_they_have_a_place_for_it(folder):
    (original,) = of_novels(folder, ["the-slip"], every=1000)
    kinds = {each.kind for each in damaged(original)}
    assert {"a changed eye colour", "a scene cut", "an unmet brief beat", "filler"} <= kinds
    assert "dialogue tags inflated" not in kinds, "nobody speaks"
    assert "a paragraph repeated" not in kinds, "they are all short"
    assert list(of_novels(folder, ["another"], every=1)) == []
