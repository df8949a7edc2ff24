"""What followers of a job's log see of a text."""

from itertools import takewhile

from domain.jobs.events import TextReplaced
from domain.jobs.run import JobRun


def show(run: JobRun, step: str, text: str, *, shown: str) -> None:
    """Put the text in place of what is shown so far, from where the two part."""
    if shown != text:
        kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(shown, text, strict=False)))
        run.log.emit(TextReplaced(step, kept, text[kept:]))
    run.log.continue_at(len(text))
