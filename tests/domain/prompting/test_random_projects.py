"""What holds for every prompt, held against a thousand projects made by chance."""

import os
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import PromptTooSmall
from domain.llm.model import Message
from domain.llm.tokens import TokenCounter
from domain.prompting.index.text_index import indexed
from domain.prompting.memory import ProjectMemory
from domain.prompting.optimizer import build_prompt
from domain.prompting.receipts import Decision, Prompt, Reason
from domain.reference_files import InclusionPolicy
from tests.domain.prompting.random_projects import RandomProject, mark, random_project

TOKENS = TokenCounter()
CHECKOUT = Path(__file__).parents[3]
BATCH = 50
LONGEST_TOKENIZED_AT_ONCE = 16_384


def build(material, wish):
    return build_prompt(material, wish, tokens=TOKENS)


def attempt(material, wish) -> Prompt | PromptTooSmall:
    try:
        return build(material, wish)
    except PromptTooSmall as refusal:
        return refusal


def outcome(found):
    return (found.token_budget, found.tokens_required) if isinstance(found, PromptTooSmall) else found


def projects(batch):
    return [random_project(number) for number in range(batch * BATCH, (batch + 1) * BATCH)]


@pytest.mark.parametrize("batch", range(20))
def test_a_prompt_is_within_its_budget_adds_up_sends_what_is_asked_for_and_nothing_that_is_shut_out(batch):
    for made in projects(batch):
        found = attempt(made.material, made.wish)
        if isinstance(found, PromptTooSmall):
            found = _refused_rightly(made, found)
        _adds_up(found)
        _sends_what_is_asked_for(made, found)
        _leaks_nothing(made, found)
        assert found.messages == _without_the_texts_shut_out(made, found.receipt.token_budget).messages


def _refused_rightly(made: RandomProject, refusal: PromptTooSmall) -> Prompt:
    """The prompt that just fits."""
    assert refusal.tokens_required > refusal.token_budget == made.wish.token_budget
    prompt = build(made.material, replace(made.wish, token_budget=refusal.tokens_required))
    assert prompt.receipt.tokens_used == refusal.tokens_required
    less = attempt(made.material, replace(made.wish, token_budget=refusal.tokens_required - 1))
    assert isinstance(less, PromptTooSmall)
    assert less.tokens_required == refusal.tokens_required
    return prompt


def _adds_up(prompt: Prompt) -> None:
    receipt = prompt.receipt
    assert receipt.tokens_used == TOKENS.count_messages(prompt.messages, model=receipt.model) <= receipt.token_budget
    assert sum(one.tokens for one in receipt.items) == receipt.tokens_used
    assert all(one.tokens >= 0 and 0 <= one.score <= 1 for one in receipt.items)
    assert all((one.tokens == 0) == (one.decision is Decision.LEFT_OUT) for one in receipt.items)


def _sends_what_is_asked_for(made: RandomProject, prompt: Prompt) -> None:
    sent = "\n".join(message.text for message in prompt.messages)
    for reference in made.material.references:
        wanted = reference.file.id in made.wish.include or reference.file.inclusion is InclusionPolicy.ALWAYS
        if wanted and reference.file.id not in made.shut_out:
            assert reference.content.text in sent
            if reference.content.text:
                (item,) = [one for one in prompt.receipt.items if one.source and one.source.id == reference.file.id]
                assert item.decision is Decision.FULL or item.reason is Reason.DUPLICATE
    for earlier in made.material.earlier:
        if earlier.chapter.id in made.wish.include and earlier.chapter.id not in made.wish.exclude:
            assert earlier.content.text in sent


def _leaks_nothing(made: RandomProject, prompt: Prompt) -> None:
    said = "\n".join(message.text for message in prompt.messages)
    for source in made.shut_out:
        twin = next((each for each in made.material.references if each.file.name == "A twin"), None)
        if twin is not None and mark(source) in twin.content.text and twin.file.id not in made.shut_out:
            continue  # the author has put the same text into a file that may be sent
        assert mark(source) not in said
        assert mark(source)[::-1] not in said
        others = [one for one in prompt.receipt.items if one.source is None or (one.decision is not Decision.LEFT_OUT)]
        assert not [text for one in others for text in one.evidence if mark(source) in text or mark(source)[::-1] in text]
    for one in prompt.receipt.items:
        if one.source and one.source.id in made.shut_out:
            assert one.decision is Decision.LEFT_OUT


def _without_the_texts_shut_out(made: RandomProject, budget: int) -> Prompt:
    """The prompt of the same project, had the files that may not be sent quite another text."""
    references = tuple(
        replace(
            each, content=indexed(f"Mara, Joren and {mark(each.file.id)} came to the Lantern."), file=replace(each.file, sha256="other")
        )
        if each.file.id in made.shut_out
        else each
        for each in made.material.references
    )
    material = replace(made.material, references=references, memory=ProjectMemory())
    return build(material, replace(made.wish, token_budget=budget))


@pytest.mark.parametrize("batch", range(8))
def test_neither_the_order_of_the_material_nor_what_is_remembered_changes_a_byte(batch):
    for number, made in enumerate(projects(batch)):
        chance = random.Random(number)
        cold = outcome(attempt(made.with_memory(ProjectMemory()), made.wish))
        memory = ProjectMemory()
        shuffled = replace(
            made.with_memory(memory),
            references=tuple(chance.sample(made.material.references, len(made.material.references))),
            earlier=tuple(chance.sample(made.material.earlier, len(made.material.earlier))),
        )
        wish = replace(made.wish, include=made.wish.include[::-1], exclude=made.wish.exclude[::-1])
        attempt(shuffled, replace(wish, brief="Joren and the astrolabe, 海.", model="gpt-4", include=(), exclude=made.wish.include))
        fewer = replace(shuffled, earlier=shuffled.earlier[: len(shuffled.earlier) // 2], references=shuffled.references[1:])
        attempt(fewer, replace(wish, token_budget=20_000))
        assert outcome(attempt(shuffled, wish)) == cold
        assert outcome(attempt(shuffled, wish)) == cold


@pytest.mark.parametrize("batch", range(3))
def test_the_stable_prefix_is_what_the_two_prompts_really_share(batch):
    checked = 0
    for number, made in enumerate(projects(batch)):
        budget = 20_000
        before = attempt(made.material, replace(made.wish, token_budget=budget, brief="Another brief."))
        same = number % 4 == 0
        wish = replace(made.wish, token_budget=budget, brief="Another brief." if same else f"Another {made.material.chapter.brief}")
        if isinstance(before, PromptTooSmall):
            continue
        after = build(replace(made.material, previous=before.messages), wish)
        shared = _shared_tokens(after.messages, before.messages, wish.model)
        if shared is not None:
            assert after.receipt.stable_prefix_tokens == shared
            checked += 1
    assert checked > BATCH / 2


def _shared_tokens(one: Sequence[Message], other: Sequence[Message], model: str) -> int | None:
    """Token by token. None where a text is longer than what is tokenized at once."""
    encode = TOKENS._encoding(model).encode_ordinary
    if any(len(message.text) > LONGEST_TOKENIZED_AT_ONCE for message in (*one, *other)):
        return None
    shared = 0
    for new, old in zip(one, other, strict=True):
        tokens, others = encode(new.text), encode(old.text)
        common = next(
            (index for index, pair in enumerate(zip(tokens, others, strict=False)) if pair[0] != pair[1]), min(len(tokens), len(others))
        )
        shared += common
        if new != old:
            break
    return shared


DIGESTS = """
from tests.domain.prompting.random_projects import random_project
from tests.domain.prompting.test_random_projects import attempt
for number in range(60):
    made = random_project(number)
    found = attempt(made.material, made.wish)
    print(found.receipt if hasattr(found, "receipt") else found.args)
"""


def test_every_process_makes_the_same_prompt_whatever_order_its_sets_are_in():
    said = {
        subprocess.run(
            [sys.executable, "-c", DIGESTS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
    assert len(said.pop().splitlines()) == 60
