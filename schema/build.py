"""The schema, assembled."""

from typing import Final

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.failures import USER_ERRORS
from schema.job_events import JobFinished, JobProgressed, JobStatusChanged, StepFinished, TextAppended, TextReplaced
from schema.mutation import Mutation
from schema.people import User
from schema.query import Query
from schema.scalars import SCALARS
from schema.subscription import Subscription

_BEHIND_INTERFACES: Final = (
    *USER_ERRORS,
    JobStatusChanged,
    JobProgressed,
    TextAppended,
    TextReplaced,
    StepFinished,
    JobFinished,
    User,
)
"""Types that are reached through an interface only."""


def build_schema() -> strawberry.Schema:
    """A new schema, without transport: limits, masking and tokens are the edge's."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=_BEHIND_INTERFACES,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
