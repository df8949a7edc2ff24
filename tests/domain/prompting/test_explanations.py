"""What a receipt says is true: every piece of evidence of many prompts is proved against the material."""

from dataclasses import replace

import pytest

from domain.llm.tokens import TokenCounter
from domain.prompting.optimizer import build_prompt
from tests.domain.prompting.book import reference, salt_road, wish, written
from tests.domain.prompting.proofs import Proofs
from tests.domain.prompting.random_projects import random_project

TOKENS = TokenCounter()
BATCH = 40
WIDE = "It rained on the hill, and the sheep stood about in it as they had stood about the year before. " * 5
FORMS = {
    "is the point-of-view character", "in the brief", "in the title", "in the instructions", "in the previous chapter's end",
    "in the summary of chapter", "in passage", "times in chapter", "in chapter", "in “", "together with", "which is about the like",
    "chapters of this book need", "says the same as", "the same text as", "the previous chapter", "chapters back", "asked for by the request",
    "it was asked for, but this outweighs it", "excluded by the request", "its inclusion policy is always", "its inclusion policy is never",
    "known from", "known until", "a style guide bears", "an outline bears", "the premise bears", "the file has no text", "it has no text",
    "it has neither a summary nor a brief", "the narration says",
}  # fmt: skip


def said(material, wanted):
    prompt = build_prompt(material, wanted, tokens=TOKENS)
    assert Proofs(material, wanted).unproven(prompt) == []
    return [text for one in prompt.receipt.items for text in one.evidence]


def said_of(made):
    """With room for all that it must hold."""
    return said(made.material, replace(made.wish, token_budget=400_000))


@pytest.mark.parametrize("batch", range(8))
def test_everything_that_is_said_of_random_projects_is_true(batch):
    texts = [text for number in range(batch * BATCH, (batch + 1) * BATCH) for text in said_of(random_project(number))]
    assert len(texts) > 10 * BATCH


def test_all_that_can_be_said_has_been_proved():
    texts = [text for number in range(4 * BATCH) for text in said_of(random_project(number))]
    texts += said(salt_road(), wish())
    texts += said(_first_person(), wish(brief="Zebras."))
    assert {form for form in FORMS if not any(form in text for text in texts)} == set()


@pytest.mark.parametrize(
    "brief",
    [
        "",
        "Zebras.",
        "Mara and the lamp.",
        "Joren’s ledger burns. The clerk weeps.",
        "Fog over the bar; the bell; the slip below the Lantern.",
    ],
)
@pytest.mark.parametrize("chapters", [0, 1, 2])
def test_everything_that_is_said_of_the_salt_road_is_true(brief, chapters):
    material = salt_road()
    said(replace(material, earlier=material.earlier[:chapters]), wish(brief=brief, instructions="Think of Tobias Reck."))


def test_whoever_is_often_told_of_is_not_said_to_be_hardly_ever_told_of():
    text = "I went down. My hands shook. Joren saw me. Joren nodded. “Joren, come,” I said. “Mara, come,” he said. Joren came with me. " * 3
    material = replace(_first_person(), earlier=(written(1, text),))
    prompt = build_prompt(material, wish(brief="Zebras."), tokens=TOKENS)
    narrating = {one.label for one in prompt.receipt.items for words in one.evidence if "hardly ever told of" in words}
    assert narrating == {"Mara Venn"}


@pytest.mark.parametrize(
    "untrue",
    [
        '"Tobias" in the title',
        '"the" in the brief',
        '"Joren Hale" 41 times in chapter 2',
        '"Joren Hale" 40 times in chapter 1',
        '"Joren Hale" in “Tobias Reck”',
        "together with “Tobias Reck” in chapter 2",
        "named in passage 1 of chapter 1, which is about the like",
        "chapters of this book need 99% of its characters",
        "excluded by the request",
        "known from chapter 2",
        "because I say so",
    ],
)
def test_what_is_not_true_or_of_no_known_form_is_found(untrue):
    material, wanted = salt_road(), wish()
    prompt = build_prompt(material, wanted, tokens=TOKENS)
    items = tuple(replace(one, evidence=(untrue,)) if one.label == "Joren Hale" else one for one in prompt.receipt.items)
    forged = replace(prompt, receipt=replace(prompt.receipt, items=items))
    assert Proofs(material, wanted).unproven(forged) == [("Joren Hale", untrue)]


def _first_person():
    text = "I went down. My hands were cold. “Mara, come,” he said. I came. " * 3
    references = (reference(11, "Mara Venn", "A pilot."), reference(13, "Joren Hale", "A clerk."))
    return salt_road(references=references, earlier=(written(1, text), written(2, f"I slept. {WIDE}")))
