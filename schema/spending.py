"""Money and tokens as the API shows them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import strawberry
from strawberry import Parent

from domain import spending
from schema.fields import argument, attribute, field

# One statement over all that a project's chapters, or somebody's calls, have left.
AGGREGATE = 10

From = Annotated[datetime | None, argument("Only calls made at or after this moment.", name="from")]
To = Annotated[datetime | None, argument("Only calls made before this moment.")]


@strawberry.type(description="What a number of model calls used.")
class Usage:
    calls: int = attribute("How many calls were made, failed ones that were billed included.")
    prompt_tokens: int = attribute("Tokens sent, cached ones included.")
    cached_prompt_tokens: int = attribute("Tokens sent that the provider had in its cache and billed at a discount.")
    completion_tokens: int = attribute("Tokens written by the models.")
    cost: Decimal = attribute("What the calls with a known price cost.")
    unpriced_calls: int = attribute("Calls to models without a known price: `cost` leaves them out, so with any of these it is too low.")
    uncertain_calls: int = attribute(
        "Calls that were under way when their worker died, so that nobody knows whether they were billed. They count as if they had been, "
        "with the longest answer that was allowed. Taken back when the answer turns up after all."
    )


@strawberry.type(description="What a project or a user has used, over time and by model.")
class UsageReport:
    total: Usage = attribute("All of it.")

    @field(list["UsageByDay"], "By day, in UTC, earliest first; days without a call are left out.", most=366)
    @staticmethod
    def by_day(parent: Parent[spending.UsageReport]) -> list["UsageByDay"]:
        return [UsageByDay(date=day, usage=usage) for day, usage in parent.by_day]

    @field(list["UsageByModel"], "By model.", most=20)
    @staticmethod
    def by_model(parent: Parent[spending.UsageReport]) -> list["UsageByModel"]:
        return [UsageByModel(model=model, usage=usage) for model, usage in parent.by_model]


@strawberry.type(description="What was used on one day.")
class UsageByDay:
    date: strawberry.Private[date]
    usage: spending.Usage = strawberry.field(graphql_type=Usage, description="What was used.")

    @field(str, "The day, in UTC, such as `2026-01-31`.")
    def day(self) -> str:
        return self.date.isoformat()


@strawberry.type(description="What was used of one model.")
class UsageByModel:
    model: str = attribute("The model's name.")
    usage: spending.Usage = strawberry.field(graphql_type=Usage, description="What was used.")


@strawberry.type(
    description=(
        "What may be spent. A job's highest estimate is held when it is started, becomes what its calls really cost, and is let go when it "
        "ends or waits. When it needs more than was estimated, more is held, as far as the limit allows."
    )
)
class Budget:
    limit: Decimal | None = attribute("What may be spent in all; null for no limit.")
    spent: Decimal = attribute("What finished calls have cost.")
    reserved: Decimal = attribute("What is held for unfinished jobs.")
    remaining: Decimal | None = attribute(
        "What may still be spent: the limit without what is spent and reserved, never below 0. Null for no limit."
    )


@strawberry.type(
    description=(
        "What a call will probably cost, or, for revisions and assessments, all of a job's calls together. Not a promise: providers bill what "
        "was used. A draft's own assessment and revisions are not in its estimate: they are made as far as the limits allow."
    )
)
class CostEstimate:
    model: str = attribute(
        "The model it is for. Of a revision, the one that writes, or if only the assessor's price is unknown, that one; empty where no model is called."
    )
    prompt_tokens: int = attribute("Tokens that will be sent.")
    completion_tokens: int = attribute(
        "Tokens that are expected to be written: for a draft, four for three words of the chapter's target; for other jobs, what answers usually take."
    )
    low: Decimal | None = attribute(
        "With all that is sent in the provider's cache and half of what is expected written. Null if a price is unknown."
    )
    high: Decimal | None = attribute(
        "With nothing cached and one and a half times of what is expected written; this is reserved. Null if a price is unknown."
    )
    priced: bool = attribute("Whether the price of every model that is called is known.")
