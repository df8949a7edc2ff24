"""`python -m bench.assessor.freeze barsetshire.json.gz`: takes the frozen set's chapters, and the two before each, out of the whole series.

Made once. What comes out is `set/chapters.json.gz`; it is the same for the same novels.
"""

import argparse
import gzip
import json
import tomllib
from pathlib import Path

from bench.assessor.novel_file import chapter_texts

SET = Path(__file__).with_name("set")
CHAPTERS_BEFORE = 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.assessor.freeze", description=__doc__)
    parser.add_argument("novels", type=Path)
    texts = chapter_texts(parser.parse_args().novels)
    projects = tomllib.loads((SET / "projects.toml").read_text(encoding="utf-8"))
    wanted = sorted({number - back for each in projects["chapter"] for number in [each["number"]] for back in range(CHAPTERS_BEFORE + 1)})
    content = json.dumps({str(number): texts[number] for number in wanted}, ensure_ascii=False, indent=0)
    (SET / "chapters.json.gz").write_bytes(gzip.compress(content.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
