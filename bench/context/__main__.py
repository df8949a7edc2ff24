"""`python -m bench.context`: a selector that speaks a context benchmark's line protocol on standard input and output.

-> {"op": "load", "project": "p", "path": "state.json"}                                        <- {"ok": true}
-> {"op": "select", "case_id": "c", "project": "p", "section": 12, "brief": "...", "budget": 8000}
<- {"case_id": "c", "items": [{"id": "char:anne", "span": [0, 210], "why": "...", "cue": "..."}]}
"""

import json
import sys
from pathlib import Path
from typing import Any

from bench.context.selector import Selector
from bench.context.state import State, States


def main() -> None:
    states, selector = States(), Selector()
    state: State | None = None
    for line in sys.stdin:
        message = json.loads(line)
        if message["op"] == "load":
            state = states.read(json.loads(Path(message["path"]).read_text(encoding="utf-8")))
            answer: dict[str, Any] = {"ok": True}
        else:
            assert state is not None, "select before load"
            items = selector.select(state, brief=message["brief"], budget=message["budget"])
            answer = {"case_id": message["case_id"], "items": items}
        print(json.dumps(answer, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
