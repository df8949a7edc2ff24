"""What assessing a draft and revising it may cost, before there is a draft."""

from typing import Final

from domain.assessing.judging.concern import Concern
from domain.assessing.judging.plan import EXPECTED_ANSWER_TOKENS, LEAST_MATERIAL, PROMPT_PER_TEXT
from domain.prompting.lengths import expected_completion_tokens
from domain.spending import CostEstimate, add_estimates, estimate_calls
from resolvers.context import RequestContext
from resolvers.models import judging_model
from resolvers.prompts import Preview
from resolvers.revisions import COMPARISON_ANSWER_TOKENS, COMPARISON_RULES_TOKENS, COMPARISONS

RULES_TOKENS: Final = 1_200
"""Of a call that judges or revises, besides the text and what is shown with it."""
REVISED_SHARE: Final = 0.3
"""Of a text, which a revision of eight findings rewrites."""


def polishing_estimate(context: RequestContext, preview: Preview) -> CostEstimate | None:
    """None where drafts are only measured.

    `low` is one assessment, after which the draft is good enough; `high` is that and, for each revision that the project allows, the
    revision, a comparison in both orders and another assessment, with nothing cached. A concern is judged in 1.58 x text tokens, or in
    text + 2,000 where the text is short; a revision sends the text once and rewrites 0.3 of it.
    """
    settings = preview.material.project.settings
    if settings.max_revisions == 0:
        return None
    judge, writer = judging_model(context, settings), preview.prompt.receipt.model
    text, cost = expected_completion_tokens(preview.material), context.prices.cost
    concerns = len(Concern)
    read = max(round(PROMPT_PER_TEXT * text), text + RULES_TOKENS + LEAST_MATERIAL)
    assessing = estimate_calls(judge, prompt_tokens=concerns * read, completion_tokens=concerns * EXPECTED_ANSWER_TOKENS, cost=cost)
    revising = estimate_calls(writer, prompt_tokens=text + RULES_TOKENS, completion_tokens=round(REVISED_SHARE * text), cost=cost)
    comparing = estimate_calls(
        judge,
        prompt_tokens=COMPARISONS * (round(2 * REVISED_SHARE * text) + COMPARISON_RULES_TOKENS),
        completion_tokens=COMPARISONS * COMPARISON_ANSWER_TOKENS,
        cost=cost,
    )
    whole = add_estimates(judge, assessing, *(settings.max_revisions * (revising, comparing, assessing)))
    return CostEstimate(
        model=whole.model,
        prompt_tokens=whole.prompt_tokens,
        completion_tokens=whole.completion_tokens,
        low=None if whole.low is None else assessing.low,
        high=whole.high,
    )
