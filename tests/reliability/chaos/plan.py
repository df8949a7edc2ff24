"""What is going to be asked for, all of it drawn from the seed: which chapters and what of them, by whom, in how many parts, and with what whims."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from math import ceil
from random import Random

from domain.jobs.job import JobKind
from tests.reliability.chaos.writer import code_for

CHAPTERS_IN_PROJECT = 10
USERS = 12
SHARE_FOLLOWED = 0.6
SHARE_CANCELLED = 0.12
SHARE_SENT_TWICE = 0.1
SHARE_THRIFTY = 0.15
LATEST_WHIM_SECONDS = 5.0
KINDS = (*[JobKind.CHAPTER] * 3, JobKind.REVISION, JobKind.ASSESSMENT)
"""Each is drawn as often as the others."""

POLISHED_EVERY = 2
"""Projects, of which one has its drafts assessed and revised."""


class Whim(Enum):
    NONE = auto()
    CANCEL = auto()
    CANCEL_AND_RETRY = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterPlan:
    """One job. `sent_times`: a client that doubts an answer asks again; `whim_after` seconds after the start it is cancelled, or not.

    A thrifty author allows for little more than the estimate of a draft: calls that are lost with their workers use that up, and then
    there is nothing left to polish it. What is revised or assessed is a text that the author has saved before.
    """

    number: int
    project: int
    kind: JobKind
    user: str
    parts: int
    followed: bool
    sent_times: int
    thrifty: bool
    whim: Whim
    whim_after: float

    @property
    def code(self) -> str:
        return code_for(self.number, self.parts)

    @property
    def most_revisions(self) -> int:
        """Of each draft in the project."""
        return 1 if self.project % POLISHED_EVERY else 0

    @property
    def key(self) -> str:
        return f"chapter {self.number}"


def plan_of(seed: int, runs: int) -> Sequence[ChapterPlan]:
    random = Random(f"plan of {seed}")
    users = min(USERS, ceil(runs / CHAPTERS_IN_PROJECT))
    plans = [_draw(random, number, users=users) for number in range(runs)]
    random.shuffle(plans)
    return plans


def _draw(random: Random, number: int, *, users: int) -> ChapterPlan:
    project = number // CHAPTERS_IN_PROJECT
    is_cancelled = random.random() < SHARE_CANCELLED
    kind = random.choice(KINDS)
    return ChapterPlan(
        number=number,
        project=project,
        kind=kind,
        user=f"author-{project % users}",
        parts=random.randint(2, 4),
        followed=random.random() < SHARE_FOLLOWED,
        sent_times=2 if random.random() < SHARE_SENT_TWICE else 1,
        thrifty=kind is JobKind.CHAPTER and random.random() < SHARE_THRIFTY,
        whim=random.choice((Whim.CANCEL, Whim.CANCEL_AND_RETRY)) if is_cancelled else Whim.NONE,
        whim_after=random.uniform(0, LATEST_WHIM_SECONDS),
    )
