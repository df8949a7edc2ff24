"""What polishing may cost is told before it is spent: nothing where drafts are only measured, more with every revision."""

from decimal import Decimal

from tests.api import Api

PREVIEW = """
query($input: PromptPreviewInput!) {
  promptPreview(input: $input) { polishingEstimate { model promptTokens completionTokens low high priced } }
}
"""


async def estimated(api: Api, **settings: object):
    project = await api.project(settings={"maxRevisions": 1, **settings})
    chapter = await api.chapter(project, targetWordCount=3_000)
    return (await api.ask(PREVIEW, input={"chapterId": chapter}))["promptPreview"]["polishingEstimate"]


async def test_drafts_that_are_only_measured_cost_nothing_more(api: Api):
    assert await estimated(api, maxRevisions=0) is None


async def test_every_revision_that_is_allowed_raises_the_highest_estimate_alone(api: Api):
    one, three = await estimated(api), await estimated(api, maxRevisions=3)
    assert Decimal(0) < Decimal(one["low"]) < Decimal(one["high"]) < Decimal(three["high"])
    assert three["low"] == one["low"]
    assert three["promptTokens"] > one["promptTokens"] > 4 * 1.58 * 3_000


async def test_a_judge_without_a_price_makes_the_whole_unpriced_and_is_named(api: Api):
    told = await estimated(api, assessorModel="llama-of-my-own")
    assert told == {**told, "model": "llama-of-my-own", "low": None, "high": None, "priced": False}
