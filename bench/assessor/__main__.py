"""`python -m bench.assessor [--novels FOLDER [--only NAME ...]] [--missed]`: what of damaged chapters the metrics find, and where.

For each kind of damage: how many of the damaged chapters have a finding of severity MINOR or above, at the damaged place, that the original
has not; by which metrics; and how many score below their original.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.assessor.damages import DAMAGES, damaged
from bench.assessor.detection import Detection, Measure, detect, findings
from bench.assessor.originals import Original, frozen, of_novels
from domain.assessing.assessment import FoundIssue, Measurement
from domain.assessing.metrics.measuring import measure
from domain.assessing.metrics.reading import Reading
from domain.assessing.metrics.story import STORY_METRICS
from domain.prompting.material import PromptMaterial


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.assessor", description=__doc__)
    parser.add_argument("--novels", type=Path, help="a folder of other novels, instead of the frozen set")
    parser.add_argument("--only", nargs="*", default=[], help="names of novels in the folder")
    parser.add_argument("--every", type=int, default=3, help="of the novels' chapters, every so-and-so-many-th")
    parser.add_argument("--versions", type=int, default=1, help="damaged chapters of each kind, per original")
    parser.add_argument("--missed", action="store_true", help="show what was not found, and the false alarms")
    parser.add_argument("--story-alone", action="store_true", help="only the metrics that look at the project, without a score")
    asked = parser.parse_args()
    originals = of_novels(asked.novels, asked.only, every=asked.every) if asked.novels else frozen()
    _report(originals, story_alone if asked.story_alone else measure, versions=asked.versions, missed=asked.missed)


def story_alone(text: str, material: PromptMaterial) -> Measurement:
    reading = Reading(text, language=material.project.language)
    taken = [metric.take(reading, material) for metric in STORY_METRICS]
    found = tuple(issue for measured in taken if measured is not None for issue in measured.findings)
    return Measurement(metrics=(), findings=found, score=100.0 - len(found))


def _report(originals: Iterable[Original], measure_text: Measure, *, versions: int, missed: bool) -> None:
    detections: dict[str, list[Detection]] = {kind: [] for kind in DAMAGES}
    alarms: list[tuple[str, FoundIssue]] = []
    chapters = words = 0
    for original in originals:
        measured = measure_text(original.text, original.material)
        chapters += 1
        words += len(original.text.split())
        alarms += [(original.name, issue) for issue in findings(measured)]
        for each in damaged(original, versions=versions):
            before = measured if each.undamaged_material is None else measure_text(original.text, each.undamaged_material)
            detections[each.kind].append(detect(each, measure_text, before))
    print(f"{chapters} chapters, {words:,} words\n")
    print("| damage | made | found in its place | or noted | by | scores lower |\n| --- | --- | --- | --- | --- | --- |")
    for kind, made in detections.items():
        if made:
            by = Counter(name for each in made for name in each.by or each.noted_by)
            names = ", ".join(f"{name} {count}" for name, count in by.most_common(4))
            found, noted = _percent(bool(each.by) for each in made), _percent(bool(each.by or each.noted_by) for each in made)
            print(f"| {kind} | {len(made)} | {found} | {noted} | {names} | {_percent(each.is_lower for each in made)} |")
    every = [each for made in detections.values() for each in made]
    print(f"| all | {len(every)} | {_percent(bool(each.by) for each in every)} | | | {_percent(each.is_lower for each in every)} |")
    print(f"\nfalse alarms: {len(alarms)}, {10_000 * len(alarms) / words:.2f} per 10,000 words")
    for name, count in Counter(issue.metric for _, issue in alarms).most_common():
        print(f"  {name}: {count}")
    if missed:
        for line in _missed(detections, alarms):
            print(line)


def _missed(detections: dict[str, list[Detection]], alarms: Iterable[tuple[str, FoundIssue]]) -> Iterator[str]:
    for name, issue in alarms:
        yield f"ALARM {name} {issue.metric} {issue.severity}: {issue.message} | {_short(issue.quote)}"
    for kind, made in detections.items():
        for each in made:
            if not each.by:
                places = " / ".join(_short(each.damaged.text[place.start : place.end]) for place in each.damaged.places[:2])
                yield f"MISSED {kind} in {each.damaged.original.name}: {places}"


def _percent(found: Iterable[bool]) -> str:
    values = list(found)
    return f"{sum(values)}/{len(values)} ({100 * sum(values) / len(values):.0f} %)"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 400 else f"{line[:260]} … {line[-120:]}"


if __name__ == "__main__":
    main()
