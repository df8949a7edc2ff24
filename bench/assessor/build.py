"""`python -m bench.assessor.build FOLDER`: writes the frozen set's originals and their damaged versions, to be read or judged by others.

For each original a folder with `original.md`, and for each kind of damage a text and a JSON file that says what was damaged and where, in
code points. The same every time.
"""

import argparse
import json
from pathlib import Path

from bench.assessor.damages import damaged
from bench.assessor.originals import frozen


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.assessor.build", description=__doc__)
    parser.add_argument("folder", type=Path)
    build(parser.parse_args().folder)


def build(folder: Path) -> None:
    for original in frozen():
        place = folder / original.name.replace(" ", "-")
        place.mkdir(parents=True, exist_ok=True)
        (place / "original.md").write_text(original.text, encoding="utf-8")
        (place / "brief.md").write_text(original.material.chapter.brief, encoding="utf-8")
        for each in damaged(original):
            name = each.kind.replace(" ", "-")
            described = {
                "kind": each.kind,
                "places": [[where.start, where.end] for where in each.places],
                "brief": each.material.chapter.brief,
                "cast": {sheet.file.name: sheet.content.text for sheet in each.material.references},
            }
            (place / f"{name}.md").write_text(each.text, encoding="utf-8")
            (place / f"{name}.json").write_text(json.dumps(described, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
