"""What the processes had to say for themselves: their warnings and errors, counted."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

WORTH_READING = frozenset({"warning", "error", "critical"})
LONGEST = 110
PARTICULARS = re.compile(r"\d{3,}")
RAISED = re.compile(r"(?P<name>[a-z][\w.]*\.\w+|\w+(?:Error|Exception)): (?:\([\w.]+\) )?(?P<said>.*)")


def complaints(folder: Path) -> Counter[str]:
    """Process numbers, addresses and the like are left out, so that what is alike is counted together."""
    return Counter(PARTICULARS.sub("…", said)[:LONGEST].strip() for log in sorted(folder.glob("*.log")) for said in _read(log))


def _read(log: Path) -> Iterator[str]:
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if not line.startswith("{"):
            yield line
            continue
        said = json.loads(line)
        if said["level"] in WORTH_READING:
            yield f"{said['level']} {said['event']} {_cause(said.get('exception', ''))}"


def _cause(traceback: str) -> str:
    """The last exception of the chain."""
    named = [match for line in traceback.splitlines() if (match := RAISED.match(line))]
    return f"{named[-1]['name'].rpartition('.')[2]} {named[-1]['said']}" if named else ""
