"""What is going to be asked for, all of it drawn from the seed: which chapters, by whom, in how many parts, and with what whims."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from math import ceil
from random import Random

from tests.reliability.chaos.writer import code_for

CHAPTERS_IN_PROJECT = 10
USERS = 12
SHARE_FOLLOWED = 0.6
SHARE_CANCELLED = 0.12
SHARE_SENT_TWICE = 0.1
SHARE_THRIFTY = 0.15
LATEST_WHIM_SECONDS = 5.0


class Whim(Enum):
    NONE = auto()
    CANCEL = auto()
    CANCEL_AND_RETRY = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterPlan:
    """One job. `sent_times`: a client that doubts an answer asks again; `whim_after` seconds after the start it is cancelled, or not.

    A thrifty author allows for little more than the estimate: calls that are lost with their workers use that up.
    """

    number: int
    project: int
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
    return ChapterPlan(
        number=number,
        project=project,
        user=f"author-{project % users}",
        parts=random.randint(2, 4),
        followed=random.random() < SHARE_FOLLOWED,
        sent_times=2 if random.random() < SHARE_SENT_TWICE else 1,
        thrifty=random.random() < SHARE_THRIFTY,
        whim=random.choice((Whim.CANCEL, Whim.CANCEL_AND_RETRY)) if is_cancelled else Whim.NONE,
        whim_after=random.uniform(0, LATEST_WHIM_SECONDS),
    )
