"""`python -m bench.assessor.english_phrases --novels FOLDER`: the data file of phrases that are common in English fiction, counted anew.

How often each stands in a million words, on average over the novels, so that no author's habit counts for more than another's; only of
phrases that several novels share.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.assessor.novels import Novel, material_without_a_book, novels_in
from domain.assessing.metrics import word_lists
from domain.assessing.metrics.reading import Reading
from domain.assessing.metrics.repetition import phrases_of

FEWEST_NOVELS = 4
FEWEST_PER_MILLION = 12


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.assessor.english_phrases", description=__doc__)
    parser.add_argument("--novels", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--to", type=Path, default=Path(word_lists.__file__).with_name("english_phrases.txt"), metavar="FILE")
    asked = parser.parse_args()
    novels = list(novels_in(asked.novels))
    asked.to.write_text(_document(novels), encoding="utf-8")


def _document(novels: Sequence[Novel]) -> str:
    rates: Counter[str] = Counter()
    shared: Counter[str] = Counter()
    for novel in novels:
        counts, share = _counts(novel), 1e6 / novel.words / len(novels)
        shared.update(counts.keys())
        rates.update({phrase: share * count for phrase, count in counts.items()})
    common = [(round(rate), phrase) for phrase, rate in rates.items() if shared[phrase] >= FEWEST_NOVELS and rate >= FEWEST_PER_MILLION]
    heading = (
        "# Phrases of two and three words in English fiction: how often each stands in a million words, on average over "
        f"{len(novels)} novels and\n# series of 1813-1902 in the public domain ({', '.join(novel.name for novel in novels)}).\n"
        "# Counted for this project by `python -m bench.assessor.english_phrases`; licence: MIT, as this project.\n"
    )
    return heading + "".join(f"{rate} {phrase}\n" for rate, phrase in sorted(common, key=lambda each: (-each[0], each[1])))


def _counts(novel: Novel) -> Counter[str]:
    language = material_without_a_book().project.language
    counts: Counter[str] = Counter()
    for chapter in novel.chapters:
        counts.update({" ".join(words): len(phrase.places) for words, phrase in phrases_of(Reading(chapter, language=language)).items()})
    return counts


if __name__ == "__main__":
    main()
