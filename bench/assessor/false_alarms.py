"""`python -m bench.assessor.false_alarms --novels FOLDER`: what the metrics find fault with in novels that nobody damaged.

Findings that are more than notes, per 10,000 words of each novel, against the limit; by metric; and the scores of the chapters.
"""

import argparse
from collections import Counter
from pathlib import Path
from statistics import quantiles

from bench.assessor.novels import Novel, material_without_a_book, novels_in
from domain.assessing.assessment import FindingSeverity, Measurement
from domain.assessing.metrics.measuring import measure

MOST_PER_TEN_THOUSAND = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.assessor.false_alarms", description=__doc__)
    parser.add_argument("--novels", type=Path, required=True, metavar="FOLDER")
    asked = parser.parse_args()
    words, alarms, by_metric, notes = 0, 0, Counter[str](), Counter[str]()
    print(f"  {'':<28} {'words':>9} {'alarms':>7} {'per 10,000':>11} {'notes':>7}   score: 5% median 95%")
    for novel in novels_in(asked.novels):
        measured = [measure(chapter, material_without_a_book()) for chapter in novel.chapters]
        own = Counter(str(each.metric) for one in measured for each in one.findings if each.severity is not FindingSeverity.NOTE)
        notes.update(str(each.metric) for one in measured for each in one.findings)
        _print(novel, measured, own.total())
        words, alarms = words + novel.words, alarms + own.total()
        by_metric += own
    rate = 10_000 * alarms / words
    print(f"  {'all':<28} {words:>9,} {alarms:>7} {rate:>11.2f}   limit {MOST_PER_TEN_THOUSAND}: {_verdict(rate)}")
    for name, count in notes.most_common():
        print(f"    {name:<26} {10_000 * by_metric[name] / words:>9.2f} alarms and {10_000 * count / words:>6.1f} findings in 10,000 words")


def _print(novel: Novel, measured: list[Measurement], alarms: int) -> None:
    cuts = quantiles([each.score for each in measured], n=20)
    notes = sum(len(each.findings) for each in measured) - alarms
    rates = f"{10_000 * alarms / novel.words:>11.2f} {10_000 * notes / novel.words:>7.1f}"
    print(f"  {novel.name:<28} {novel.words:>9,} {alarms:>7} {rates}   {cuts[0]:>9.1f} {cuts[9]:>6.1f} {cuts[-1]:>5.1f}")


def _verdict(rate: float) -> str:
    return "met" if rate <= MOST_PER_TEN_THOUSAND else "MISSED"


if __name__ == "__main__":
    main()
