"""Novels become chapters to measure, and typical ranges come of them."""

import gzip
import json
import tomllib

import pytest

from bench.assessor.novels import FEWEST_WORDS, novels_in
from bench.assessor.typical_ranges import document_of


def save(folder, name, passages, *, chapters):
    """Each passage is a section; `chapters` says of which chapter."""
    sections = [{"k": number, "chapter": chapter} for number, chapter in enumerate(chapters, start=1)]
    listed = [[f"p{number}", number, text, 0] for number, text in enumerate(passages, start=1)]
    with gzip.open(folder / f"{name}.json.gz", "wt", encoding="utf-8") as file:
        json.dump({"novel": name, "sections": sections, "passages": listed}, file)


def a_passage(number, words=FEWEST_WORDS):
    """Sentences of twelve words, of the more different ones the higher the number."""
    return " ".join(" ".join(["She", *(f"thing{(at + step) % (20 * number)}" for step in range(11))]) + "." for at in range(0, words, 12))


def test_sections_of_a_chapter_are_one_text_and_short_chapters_are_left_out(tmp_path):
    save(tmp_path, "one", [a_passage(1), "The end of it.\nAnd more.", "Too short."], chapters=[1, 1, 2])
    (novel,) = novels_in(tmp_path)
    assert novel.name == "one"
    assert len(novel.chapters) == 1
    assert novel.chapters[0].endswith("\n\nThe end of it.\n\nAnd more.")


def test_lost_apostrophes_are_mended_only_where_all_are_lost(tmp_path):
    save(tmp_path, "lost", [f"I didn t. Tom s hat. {a_passage(1)}"], chapters=[1])
    save(tmp_path, "whole", [f"I didn't say t. {a_passage(1)}"], chapters=[1])
    lost, whole = novels_in(tmp_path)
    assert lost.chapters[0].startswith("I didn't. Tom's hat.")
    assert whole.chapters[0].startswith("I didn't say t.")


def test_files_that_are_no_novels_are_passed_over(tmp_path):
    with gzip.open(tmp_path / "one.mentions.json.gz", "wt") as file:
        file.write("{}")
    assert list(novels_in(tmp_path)) == []


def test_ranges_are_the_middle_nine_tenths_of_the_chapters_and_say_where_they_were_widened(tmp_path):
    save(tmp_path, "one", [a_passage(number) for number in range(1, 31)], chapters=range(1, 31))
    document = tomllib.loads("".join(document_of(list(novels_in(tmp_path)))))
    assert "30 chapters" in document["source"]
    assert document["sentenceLength"] == {"low": 8, "high": 12, "widened": "Widened down to 8: sentences are shorter today."}
    assert document["mattr500"]["low"] < document["mattr500"]["high"]
    assert document["mattr500"].keys() == {"low", "high"}


@pytest.mark.parametrize("name", ["emDashes", "mattr500"])
def test_what_was_not_widened_is_what_the_novels_are(tmp_path, name):
    save(tmp_path, "one", [a_passage(7) for _ in range(25)], chapters=range(25))
    document = tomllib.loads("".join(document_of(list(novels_in(tmp_path)))))
    assert document[name]["low"] == document[name]["high"]
