"""`python -m bench.assessor.typical_ranges --novels FOLDER`: the data file of typical ranges, counted anew.

The 5th to 95th percentile of each metric over the chapters of public-domain novels, widened where today's published fiction is known to
lie elsewhere. Only numbers are written.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import quantiles
from textwrap import fill

from bench.assessor.novels import Novel, material_without_a_book, novels_in
from domain.assessing.metrics import typical
from domain.assessing.metrics.measuring import measure

MOST_CHAPTERS = 60
"""Of one novel or series, spread over it, so that a long series does not decide alone."""

Widening = tuple[float | None, float | None, str]
"""The lowest and the highest value that the range reaches to at least, and why; None where the novels decide."""

WIDENED: Mapping[str, Widening] = {
    "sentenceLength": (8, None, "Widened down to 8: sentences are shorter today."),
    "sentenceVariation": (0.5, None, "Widened down to 0.5: short sentences differ less."),
    "paragraphLength": (15, None, "Widened down to 15: paragraphs are shorter today."),
    "singleSentenceParagraphs": (0, 40, "Widened to 0 to 40: today's thrillers set many sentences alone."),
    "dialogueShare": (0, 85, "Widened to 0 to 85: chapters of any share are published."),
    "sameOpeners": (None, 20, "Widened up to 20: today's close narration names its one person at the head of most sentences."),
    "sameOpenings": (None, 14, "Widened up to 14: there are more sentences to a page today, and they are plainer."),
    "repetition": (None, 10, "Widened up to 10: chapters keep to one scene today, and to its things."),
    "readingGrade": (1, None, "Widened down to 1: sentences are shorter today."),
    "slopWords": (None, 6, "Widened up to 6: some of these words were rare in the nineteenth century and are not today."),
    "slopPhrases": (None, 2.5, "Widened up to 2.5: some of these phrases were rare in the nineteenth century and are not today."),
    "slopSentences": (None, 0.5, "Widened up to 0.5: some of these words and phrases were rare in the nineteenth century."),
    "contrasts": (None, 1, "Widened up to 1."),
    "filterWords": (None, 12, "Widened up to 12: today's close narration tells what one person sees and knows."),
    "namedEmotions": (None, 5, "Widened up to 5."),
    "passiveSentences": (0, None, "Widened down to 0: today's prose has fewer."),
    "adverbTags": (None, 20, "Widened up to 20."),
    "saidBookisms": (None, 35, "Widened up to 35."),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.assessor.typical_ranges", description=__doc__)
    parser.add_argument("--novels", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--to", type=Path, default=Path(typical.__file__).with_name("typical_ranges.toml"), metavar="FILE")
    asked = parser.parse_args()
    asked.to.write_text("".join(document_of(list(novels_in(asked.novels)))), encoding="utf-8")


def document_of(novels: Sequence[Novel]) -> Iterator[str]:
    samples = {novel.name: novel.chapters[:: -(-len(novel.chapters) // MOST_CHAPTERS)] for novel in novels}
    values: defaultdict[str, list[float]] = defaultdict(list)
    material = material_without_a_book()
    for chapter in (chapter for chapters in samples.values() for chapter in chapters):
        for metric in measure(chapter, material).metrics:
            values[metric.name].append(metric.value)
    novels_named = (
        "The novels are those of A. Trollope's Barsetshire series (in the texts of Standard Ebooks, CC0) and the others named here, of each so "
        f"many chapters: {', '.join(f'{name} {len(chapters)}' for name, chapters in samples.items())}."
    )
    yield (
        "# Where nine in ten chapters of published novels lie, by metric: the 5th and the 95th percentile. `widened` says where a range was\n"
        "# made wider than the novels are. Made by `python -m bench.assessor.typical_ranges`; licence: MIT, as this project.\n"
        f"{fill(novels_named, width=140, initial_indent='# ', subsequent_indent='# ', break_on_hyphens=False)}\n\n"
        f'source = "Nine in ten of {sum(map(len, samples.values()))} chapters of sixteen public-domain novels, 1813-1902, lie within."\n'
    )
    for name, measured in values.items():
        yield _entry(name, measured)


def _entry(name: str, values: Sequence[float]) -> str:
    cuts = quantiles(values, n=20)
    low, high, reason = WIDENED.get(name, (None, None, ""))
    lowest, highest = min(cuts[0], low if low is not None else cuts[0]), max(cuts[-1], high if high is not None else cuts[-1])
    widened = f'widened = "{reason}"\n' if reason else ""
    return f"\n[{name}] # {len(values)} chapters, median {_short(cuts[9])}\nlow = {_short(lowest)}\nhigh = {_short(highest)}\n{widened}"


def _short(value: float) -> str:
    return f"{value:.3g}"


if __name__ == "__main__":
    main()
