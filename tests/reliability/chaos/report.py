"""What a run comes to, in figures, and word by word what was wrong."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from tests.reliability.chaos.audit import summary
from tests.reliability.chaos.books import Books
from tests.reliability.chaos.faults import FaultKind
from tests.reliability.chaos.storm import Outcome

SHOWN_COMPLAINTS = 15
SHOWN_VIOLATIONS = 50


def lines(outcome: Outcome) -> Iterator[str]:
    weather = outcome.weather
    yield f"seed {weather.seed}, {weather.runs} jobs, {outcome.seconds:.0f} s, {outcome.started} processes started"
    yield from _section(f"faults: {outcome.faults.total()}", {kind: outcome.faults[kind] for kind in FaultKind})
    yield from _section("what became of the work", _work(outcome))
    yield from _section("seconds (min / median / max)", _durations(outcome))
    yield from _section("what stood in people's way", dict(outcome.troubles.most_common(SHOWN_COMPLAINTS)))
    yield from _section("what the processes complained of", dict(outcome.complaints.most_common(SHOWN_COMPLAINTS)))
    yield from ("", f"violations: {len(outcome.violations)} ({summary(outcome.violations)})")
    for violation in outcome.violations[:SHOWN_VIOLATIONS]:
        yield f"  {violation}"
    if outcome.kept:
        yield f"what the processes said, and all that is known of the jobs concerned: {outcome.kept}"


def _work(outcome: Outcome) -> Mapping[str, object]:
    evidence, books, stories = outcome.evidence, Books(outcome.evidence), outcome.stories
    ends = Counter(f"jobs of kind {job.kind} {job.status}" for job in evidence.jobs.values())
    return {
        **{end: ends[end] for end in sorted(ends)},
        "drafts and revisions with a remark": sum(job.remark is not None for job in evidence.jobs.values()),
        "times a job was taken up again": sum(max(0, job.attempt - 1) for job in evidence.jobs.values()),
        "times a person retried a job": sum(story.retries for story in stories),
        "calls heard by the model": len(evidence.calls),
        "of them uncertain in the ledger": len(books.uncertain_in_the_end()),
        "once uncertain, and known after all": sum(entry.calls < 0 for entry in evidence.entries),
        f"events in {len(evidence.events)} logs": sum(len(rows) for rows in evidence.events.values()),
        f"events seen by {sum(story.plan.followed for story in stories)} followers": sum(len(story.events) for story in stories),
    }


def _durations(outcome: Outcome) -> Mapping[str, object]:
    series = {
        "from start to end of a job": [story.seconds for story in outcome.stories],
        "from SIGTERM to the end of a process": outcome.drains,
        "without a database": outcome.outages,
    }
    return {name: _spread(seconds) for name, seconds in series.items() if seconds}


def _section(heading: str, figures: Mapping[str, object]) -> Iterator[str]:
    yield from ("", heading)
    for name, figure in figures.items():
        yield f"  {figure!s:>18}  {name}"


def _spread(seconds: Sequence[float]) -> str:
    return f"{min(seconds):.1f} / {median(seconds):.1f} / {max(seconds):.1f}"
