"""What has to hold after whatever happened: evidence in, violations out. Each promise is a function that tells every breach of it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from domain.jobs.events import Event, Finished, StatusChanged, text_after
from domain.jobs.job import JobStatus
from domain.jobs.model_calls import INTERRUPTED
from tests.reliability.chaos.books import Books, Breach, code_of
from tests.reliability.chaos.records import EntryRow, Evidence, JobRow
from tests.reliability.chaos.texts import (
    every_chapter_is_whole,
    every_finding_is_where_it_says,
    every_revision_has_its_place,
    every_text_is_judged_once,
    text_of_result,
)
from tests.reliability.chaos.writer import departure


@dataclass(frozen=True, slots=True)
class Violation:
    promise: str
    subject: str
    what: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.subject}: {self.what}"


def audit(evidence: Evidence) -> list[Violation]:
    books = Books(evidence)
    return [
        Violation(name, str(subject), what)
        for name, promises in PROMISES.items()
        for promise in promises
        for subject, what in promise(books)
    ]


def every_start_is_one_job(books: Books) -> Iterator[Breach]:
    jobs, witnesses = books.evidence.jobs, books.evidence.witnesses
    for witness in witnesses:
        if len(set(witness.answered)) != 1:
            yield witness.code, f"its start was answered with {len(set(witness.answered))} jobs"
        for job_id in set(witness.answered) - jobs.keys():
            yield job_id, "it was answered, and does not exist"
        for complaint in witness.complaints:
            yield witness.code, complaint
    for job_id in jobs.keys() - {job_id for witness in witnesses for job_id in witness.answered}:
        yield job_id, "nobody was told of it"


def every_job_comes_to_its_end(books: Books) -> Iterator[Breach]:
    for job in books.evidence.jobs.values():
        if not JobStatus(job.status).is_final:
            yield job.id, f"it is still {job.status}"
    for job_id in books.evidence.waiting_messages:
        yield job_id, "a message about it still waits"


def nothing_recorded_is_asked_again(books: Books) -> Iterator[Breach]:
    """Not even by a process that was frozen when it was about to, and woke up when another had the answer."""
    for call, step, seconds in books.asked_again:
        yield step.job_id, f"call {call.call_id} asked {seconds:.3f} s after {step.name} had been recorded"


def every_call_is_entered_once(books: Books) -> Iterator[Breach]:
    for call in books.evidence.calls:
        if call.call_id is None:
            yield books.job_of(call), "a call came without an id"
        elif len(books.calls_of_id[call.call_id]) > 1:
            yield books.job_of(call), f"call {call.call_id} came {len(books.calls_of_id[call.call_id])} times"
        elif call.billed and books.standing(call.call_id) is None:
            yield books.job_of(call), f"call {call.call_id} is not in the ledger"
        if not call.follows_on:
            yield books.job_of(call), f"call {call.call_id} asked to go on behind a text that nobody wrote"


def every_entry_is_of_a_call(books: Books) -> Iterator[Breach]:
    """Of one that was made; or, where nobody can know that, of one that is marked so."""
    for call_id, entries in books.entries_of_call.items():
        if (net := sum(entry.calls for entry in entries)) not in {0, 1}:
            yield entries[0].job_id, f"call {call_id} is in the ledger {net} times"
        standing = books.standing(call_id)
        if standing and call_id not in books.calls_of_id and not (standing.uncertain or standing.estimated):
            yield standing.job_id, f"call {call_id} of {standing.step} is in the ledger, and the model never heard it"


def every_extra_call_was_uncertain(books: Books) -> Iterator[Breach]:
    """Extra is whatever did not bring its step's result."""
    for call_id, (entry, *_) in books.entries_of_call.items():
        brought = books.step_answered_by.get(call_id)
        if (brought is None or brought.name != entry.step) and not books.was_uncertain(call_id):
            yield entry.job_id, f"call {call_id} was one more for {entry.step}, and was never uncertain"
    for step in books.evidence.steps:
        job = books.evidence.jobs.get(step.job_id)
        if step.status == JobStatus.RUNNING and job and JobStatus(job.status).is_final:
            yield step.job_id, f"{step.name} is still running after the job's end"


def every_log_is_gapless(books: Books) -> Iterator[Breach]:
    for job in books.evidence.jobs.values():
        rows = books.evidence.events.get(job.id, ())
        if (gaps := _gaps((row.sequence for row in rows), last=job.last_sequence)) is not None:
            yield job.id, f"its log is not 1 to {job.last_sequence}: {gaps}"
        events = [row.event for row in rows]
        ends = sum(isinstance(event, StatusChanged) and event.status.is_final for event in events)
        finished = sum(isinstance(event, Finished) for event in events)
        if not finished or ends != finished or not isinstance(events[-1], Finished):
            yield job.id, f"it ended {ends} times, its log says so {finished} times, and ends with {events[-1:]}"


def every_log_adds_up_to_the_text(books: Books) -> Iterator[Breach]:
    for job in books.evidence.jobs.values():
        text = text_after(_events(books, job))
        if text != books.evidence.texts.get(job.id):
            yield job.id, "its text is not what its log adds up to"
        if job.status == JobStatus.SUCCEEDED and text != (result := text_of_result(books, job)):
            yield job.id, f"its log does not add up to its result: {departure(code_of(job), text)}, and that has {len(result)} characters"


def followers_see_the_whole_log(books: Books) -> Iterator[Breach]:
    for witness in books.evidence.witnesses:
        job = books.evidence.jobs.get(witness.answered[0]) if witness.answered else None
        if job is None or witness.sequences is None:
            continue
        if (gaps := _gaps(witness.sequences, last=job.last_sequence)) is not None:
            yield job.id, f"its follower did not see 1 to {job.last_sequence}: {gaps}"
        if witness.text != text_after(_events(books, job)):
            yield job.id, "its follower saw another text"


def the_ledger_equals_the_meter(books: Books) -> Iterator[Breach]:
    """To the token. Where the client hung up, or its worker died, the ledger has an estimate and says so."""
    for call in books.evidence.calls:
        entry = books.standing(call.call_id)
        if entry is None or entry.uncertain or _was_cut_short(books, entry):
            continue
        counted, entered = (call.prompt_tokens, call.completion_tokens), (entry.prompt_tokens, entry.completion_tokens)
        if entry.estimated or counted != entered:
            yield entry.job_id, f"call {call.call_id} used {counted} tokens, and was entered with {entered}"


def no_money_is_held_or_missing(books: Books) -> Iterator[Breach]:
    spent: defaultdict[UUID | None, Decimal] = defaultdict(Decimal)
    for entry in books.evidence.entries:
        spent[entry.project_id] += entry.cost or 0
    for job in books.evidence.jobs.values():
        if job.reserved:
            yield job.id, f"{job.reserved} USD are still reserved for it"
    for project_id, budget in books.evidence.budgets.items():
        if budget.spent != spent[project_id] or budget.reserved:
            yield project_id, f"its budget says {budget}, and its ledger {spent[project_id]} USD spent"


PROMISES: Mapping[str, tuple[Callable[[Books], Iterator[Breach]], ...]] = {
    "lost": (every_start_is_one_job, every_job_comes_to_its_end, every_chapter_is_whole, every_revision_has_its_place),
    "misjudged": (every_text_is_judged_once, every_finding_is_where_it_says),
    "repeated": (nothing_recorded_is_asked_again,),
    "unexplained": (every_call_is_entered_once, every_entry_is_of_a_call, every_extra_call_was_uncertain),
    "gap": (every_log_is_gapless, every_log_adds_up_to_the_text, followers_see_the_whole_log),
    "miscounted": (the_ledger_equals_the_meter, no_money_is_held_or_missing),
}


def _events(books: Books, job: JobRow) -> list[Event]:
    return [row.event for row in books.evidence.events.get(job.id, ())]


def _was_cut_short(books: Books, entry: EntryRow) -> bool:
    """Counted by us, for an answer that the client did not wait for."""
    step = books.step_answered_by.get(entry.call_id)
    return entry.estimated and (step is None or (step.recorded is not None and step.recorded.finish == INTERRUPTED))


def _gaps(sequences: Iterable[int], *, last: int) -> str | None:
    """Where the numbers are not 1, 2, 3 and so on to the last; None when they are."""
    numbers = [*sequences, last + 1]
    leaps = [f"{after} behind {before}" for before, after in zip([0, *numbers], numbers, strict=False) if after != before + 1]
    return ", ".join(leaps) or None


def summary(violations: Iterable[Violation]) -> str:
    counted = Counter(violation.promise for violation in violations)
    return ", ".join(f"{counted[promise]} {promise}" for promise in (*PROMISES, *sorted(counted.keys() - PROMISES.keys())))
