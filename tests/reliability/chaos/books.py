"""The evidence, looked at from every side that a promise needs."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar
from uuid import UUID

from tests.reliability.chaos.records import Call, EntryRow, Evidence, JobRow, StepRow

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
Breach = tuple[object, str]
"""Of a promise: which job, or what else it is about, and what is wrong with it."""


class Books:
    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.steps = {(step.job_id, step.name): step for step in evidence.steps}
        self.step_answered_by = {step.call_id: step for step in evidence.steps if step.result}
        self.calls_of_id = _grouped(evidence.calls, lambda call: call.call_id)
        self.entries_of_call = _grouped(evidence.entries, lambda entry: entry.call_id)
        self.versions_of_job = _grouped(evidence.versions, lambda version: version.job_id)
        self.versions = {version.id: version for version in evidence.versions}
        self.assessments_of_version = _grouped(evidence.assessments, lambda assessment: assessment.version_id)

    def standing(self, call_id: UUID | None) -> EntryRow | None:
        """What is entered of this call in the end; None when nothing is, or all was taken back."""
        entries = self.entries_of_call.get(call_id, ())
        taken_back = any(entry.calls < 0 for entry in entries)
        return next((entry for entry in entries if entry.calls > 0 and not (entry.uncertain and taken_back)), None)

    def was_uncertain(self, call_id: UUID | None) -> bool:
        return any(entry.uncertain for entry in self.entries_of_call.get(call_id, ()))

    def job_of(self, call: Call) -> object:
        """For people who read about a call that no entry names."""
        return next((job.id for job in self.evidence.jobs.values() if code_of(job) == call.code), call.code)

    def uncertain_in_the_end(self) -> list[EntryRow]:
        """What the ledger assumes, and the meter may know better."""
        standing = (self.standing(call_id) for call_id in self.entries_of_call)
        return [entry for entry in standing if entry is not None and entry.uncertain]

    @cached_property
    def asked_again(self) -> Sequence[tuple[Call, StepRow, float]]:
        """Calls that asked what a recorded step had answered, under its name or in the same words, and how many seconds late."""
        late = []
        for call in self.evidence.calls:
            for step in (self._answer_to_the_same_words(call), self._step_of(call)):
                if step and step.result and step.recorded_at and (seconds := call.at - step.recorded_at.timestamp()) > 0:
                    late.append((call, step, seconds))
                    break
        return late

    def _step_of(self, call: Call) -> StepRow | None:
        """Not the one that it has answered itself: a call that is cut off as it leaves can be recorded before the model hears it."""
        entries = self.entries_of_call.get(call.call_id)
        step = self.steps.get((entries[0].job_id, entries[0].step)) if entries else None
        return None if step is None or step.call_id == call.call_id else step

    def _answer_to_the_same_words(self, call: Call) -> StepRow | None:
        """The first of its job that had any text: words that brought nothing may be sent again, and another job may ask the same."""
        answers = self._answers.get((call.code, call.digest), ())
        entries = self.entries_of_call.get(call.call_id)
        jobs = {entries[0].job_id} if entries else {step.job_id for step in answers}
        return next((step for step in answers if jobs == {step.job_id}), None)

    @cached_property
    def _answers(self) -> Mapping[tuple[str, str], Sequence[StepRow]]:
        bought = [(call, self.step_answered_by.get(call.call_id)) for call in self.evidence.calls]
        answered = [(call, step) for call, step in bought if step is not None and step.recorded and step.recorded.text]
        groups = _grouped(answered, lambda pair: (pair[0].code, pair[0].digest))
        return {words: [step for _, step in pairs] for words, pairs in groups.items()}


def code_of(job: JobRow) -> str:
    """The chapter's title."""
    return job.title


def _grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> Mapping[Key, Sequence[Item]]:
    groups: defaultdict[Key, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups
