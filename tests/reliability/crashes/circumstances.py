"""How it comes about that each point is reached: most lie on every job's way, some only on the way of one that is cancelled, or poor."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

from tests.fakes.model_server import Call, Hold, Script, fails
from tests.reliability.crashes.points import MID_STREAM
from tests.reliability.crashes.stage import BUDGET, Stage

FIRST_WORDS = 4
"""So many steps of a script bring the first text: the head of the answer, a pause, a chunk, a pause."""


async def nothing(_: Stage) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Circumstance:
    """`before` the first process is started, `beside` each that is to die, `behind` the last of them; `mood` of the model in such a call.

    `orders` are for the processes that die. The job comes to the end `ends`.
    """

    before: Callable[[Stage], Awaitable[None]] = nothing
    beside: Callable[[Stage], Awaitable[None]] = nothing
    behind: Callable[[Stage], Awaitable[None]] = nothing
    mood: Callable[[Call, Script], Script] = lambda _, usual: usual
    orders: Mapping[str, Any] = field(default_factory=dict)
    ends: str = "SUCCEEDED"


def holding(_: Call, usual: Script) -> Script:
    """Says nothing more behind its first words."""
    return replace(usual, steps=chain(islice(iter(usual.steps), FIRST_WORDS), [Hold(asyncio.Event())]))


async def cancel(stage: Stage) -> None:
    """Once, in the midst of a call."""
    if (await stage.state())["status"] != "CANCELLING":
        await stage.model.wait_for_calls(1)
        await stage.author.mutate("cancelJob", "id", jobId=stage.job)


async def spend_everything_else(stage: Stage) -> None:
    await stage.execute("UPDATE project SET budget_limit = 0.000001")
    await stage.execute("UPDATE job SET reserved = 0")


async def raise_the_limit(stage: Stage) -> None:
    await stage.api.mutate("updateProject", "id", id=stage.project, budgetLimit=BUDGET)


async def wait_for_money_and_get_it(stage: Stage) -> None:
    await spend_everything_else(stage)
    async with stage.healthy_worker():
        await stage.follow(until="WAITING")
    await raise_the_limit(stage)


async def lose_the_right_to_write(stage: Stage) -> None:
    await stage.execute("UPDATE project_member SET role = 'VIEWER' WHERE role = 'EDITOR'")


async def lose_a_worker(stage: Stage) -> None:
    """One that had an answer recorded."""
    child = stage.child(die_at="after record")
    await child.end()
    await stage.bury()


ORDINARY = Circumstance()
HANDED_OVER = Circumstance(orders={"leave_at": MID_STREAM})
CANCELLED = Circumstance(beside=cancel, mood=holding, ends="CANCELLED")
LONG = Circumstance(mood=holding, orders={"lease_seconds": 3, "behind": MID_STREAM})
REFUSED = Circumstance(mood=lambda call, _: fails(503)(call))
PENNILESS = Circumstance(before=spend_everything_else, behind=raise_the_limit)
RAISED = Circumstance(before=wait_for_money_and_get_it)
RESUMED = Circumstance(before=lose_a_worker)
UNWELCOME = Circumstance(before=lose_the_right_to_write, ends="FAILED")

SPECIAL: Mapping[str, Circumstance] = {
    "release": HANDED_OVER,
    "results": CANCELLED,
    "write_off": CANCELLED,
    "renew": LONG,
    "cancels_requested": LONG,
    "abandon": REFUSED,
    "wait": PENNILESS,
    "resume_waiting": RAISED,
    "finish": UNWELCOME,
}
"""Of the desk's methods; all others are called for every job. `results` are asked for by whoever ends a chapter early, and by the second
worker of any job.
"""

ONCE = frozenset(
    {"after resume_waiting", "after wait", "after finish"}
    | {f"after commit of {method}" for method in ("complete_step", "finish", "create", "retry")}
)
"""Behind these the job is further than that for good: nobody comes by a second time."""

OFTEN = frozenset({"after commit of complete_step"})
"""But these, where a job has several such steps."""

TWICE_IN_FLIGHT = frozenset(
    {"after intend", MID_STREAM, "before record", "before abandon"}
    | {f"{when} {method}" for when in ("before", "after") for method in ("renew", "cancels_requested")}
)
"""Who dies here takes a call along; after two of those a person has to ask for a third."""


def circumstance(point: str, workload: str) -> Circumstance:
    method = point.rsplit(maxsplit=1)[-1]
    if "commit" in point:
        return ORDINARY
    if method == "results" and workload != "chapter":
        return RESUMED
    return SPECIAL.get(method, ORDINARY)
