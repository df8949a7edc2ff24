"""The embedding of what is current: what is bought and what is not, and how it goes on after each kind of failure."""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from uuid import UUID

import pytest

from domain.jobs.embedding import HELD_SECONDS, TEXTS_AT_ONCE, TOKENS_AT_ONCE, Books, Embedding, EmbeddingTurn, Pauses
from domain.llm.embeddings import Embedded
from domain.llm.failures import (
    ModelContextExceeded,
    ModelCredentialsRefused,
    ModelMalformed,
    ModelRateLimited,
    ModelRefusedContent,
    ModelRejectedRequest,
    ModelUnavailable,
    ModelUnknown,
)
from domain.llm.prices import PriceBook
from domain.llm.tokens import TokenCounter
from domain.projects import GenerationSettings
from domain.prompting.index.saved_text import NewText, StoredText
from domain.prompting.index.vectors import pack_vector, text_key, unit_vector
from domain.spending import Allowance, LimitName
from tests.domain.prompting.book import chapter, project

MODEL = "text-embedding-3-small"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
PAUSES = Pauses(out_of_funds=7, refused=9)
PROJECT, OWNER = UUID(int=1), UUID(int=77)


class Shelf:
    """A library with one project, and the desk's view of it; both remember what was done."""

    def __init__(self, *texts, **changes):
        self.project = project(**changes)
        self.chapters = [chapter(number, title="", brief=f"Brief {number}.") for number in range(1, len(texts) + 1)]
        self.texts = {
            each.current_version_id: StoredText(text, NewText.of(text).index) for each, text in zip(self.chapters, texts, strict=True)
        }
        self.vectors, self.held, self.returned, self.recorded, self.rests, self.finished = {}, [], [], [], [], []
        self.left = None
        self.readers = []
        self.ailing = self.renewals = 0

    # the library
    @asynccontextmanager
    async def reading(self, user_id):
        self.readers.append(user_id)
        visible = {} if self.project is None else {PROJECT: self.project}
        yield SimpleNamespace(
            projects=SimpleNamespace(get_many=answering(lambda ids: visible)),
            chapters=SimpleNamespace(get_many=answering(lambda ids: {each.id: each for each in self.chapters if each.id in ids})),
            versions=SimpleNamespace(stored_texts=answering(lambda ids: {key: self.texts[key] for key in ids})),
        )

    # the desk
    async def take_turn(self, *, model, chapters, seconds):
        due = [each for each in self.chapters if each not in self.finished]
        return EmbeddingTurn(project_id=PROJECT, user_id=OWNER, chapter_ids=tuple(each.id for each in due)) if due else None

    async def rest(self, project_id, *, seconds):
        if seconds == HELD_SECONDS:
            self.renewals += 1
        else:
            self.rests.append(seconds)

    async def lacking(self, project_id, keys, *, model):
        return set(keys) - self.vectors.keys()

    async def hold(self, call, *, at):
        if self.left is not None and call.cost > self.left:
            return Allowance(LimitName.BUDGET_LIMIT, Decimal(1), self.left)
        self.held.append(call)
        return None

    async def give_back(self, call, *, at):
        self.returned.append(call)

    async def record(self, call, *, usage, cost, vectors, at):
        if self.ailing:
            self.ailing -= 1
            raise ConnectionError
        self.recorded.append((call, usage, cost))
        self.vectors |= vectors

    async def done(self, chapters, *, model):
        self.finished += chapters


def answering(answer):
    async def ask(ids):
        return answer(ids)

    return ask


class Model:
    """Answers with the lengths of the texts, or with the failures that it is given, one for each call."""

    name = MODEL

    def __init__(self, *failures, tokens=11):
        self.calls = []
        self._failures = list(failures)
        self._tokens = tokens

    async def embed(self, texts, *, call_id):
        self.calls.append(list(texts))
        if self._failures and (failure := self._failures.pop(0)) is not None:
            raise failure
        return Embedded(vectors=tuple((float(len(text)), 1.0) for text in texts), tokens=self._tokens)


class Rates:
    def __init__(self, seconds):
        self.seconds, self.booked, self.returned = seconds, [], []

    async def book(self, endpoint, *, tokens):
        self.booked.append((endpoint, tokens))
        return self.seconds

    async def give_back(self, endpoint, *, tokens):
        self.returned.append((endpoint, tokens))


TOKENS = TokenCounter()


def books():
    ids = count(1)
    return Books(tokens=TOKENS, prices=PriceBook(clock=lambda: NOW), clock=lambda: NOW, ids=lambda: UUID(int=next(ids)))


def embedding(shelf, model, *, rates=None, pauses=PAUSES):
    return Embedding(desk=shelf, library=shelf, model=model, books=books(), rates=rates, address="http://gpu", pauses=pauses)


async def test_briefs_and_passages_are_bought_once_and_kept_by_their_keys_with_unit_vectors():
    shelf, model = Shelf("The sea.", "The lamp.", "The sea."), Model()
    texts = ["Brief 1.", "The sea.", "Brief 2.", "The lamp.", "Brief 3."]
    assert await embedding(shelf, model).round() is True
    assert model.calls == [texts]
    assert shelf.vectors == {text_key(text): pack_vector(unit_vector((len(text), 1))) for text in texts}
    assert (shelf.finished, shelf.rests, shelf.readers) == (shelf.chapters, [0.0], [OWNER])
    assert await embedding(shelf, model).round() is False
    assert len(model.calls) == 1


async def test_what_a_changed_chapter_shares_with_the_one_before_is_not_bought_again():
    shelf, model = Shelf("The sea."), Model()
    await embedding(shelf, model).round()
    shelf.chapters[0] = replace(shelf.chapters[0], brief="Another brief.")
    await embedding(shelf, model).round()
    assert model.calls[1:] == [["Another brief."]]


async def test_chapters_that_have_nothing_to_embed_are_done_without_a_call():
    shelf, model = Shelf(""), Model()
    shelf.chapters = [replace(shelf.chapters[0], brief="", current_version_id=None)]
    assert await embedding(shelf, model).round() is True
    assert (model.calls, shelf.held, shelf.finished) == ([], [], shelf.chapters)


async def test_a_call_is_held_as_estimated_and_entered_as_the_provider_counted():
    shelf = Shelf("The sea.")
    await embedding(shelf, Model(tokens=1_000_000)).round()
    (call,), ((recorded, usage, cost),) = shelf.held, shelf.recorded
    tokens = TOKENS.count("Brief 1.", model=MODEL) + TOKENS.count("The sea.", model=MODEL)
    assert (call.expected.prompt_tokens, call.expected.estimated) == (tokens, True)
    assert (recorded, usage.prompt_tokens, usage.estimated, cost) == (call, 1_000_000, False, Decimal("0.020000"))
    assert (call.project_id, call.user_id, call.model) == (PROJECT, OWNER, MODEL)


async def test_where_the_provider_says_nothing_our_own_count_is_entered():
    shelf = Shelf("The sea.")
    await embedding(shelf, Model(tokens=None)).round()
    assert shelf.recorded[0][1] == shelf.held[0].expected


async def test_large_projects_are_bought_in_batches_of_which_none_is_too_large():
    shelf, model = Shelf(*(f"Chapter number {number}." for number in range(TEXTS_AT_ONCE))), Model()
    await embedding(shelf, model).round()
    assert [len(call) for call in model.calls] == [TEXTS_AT_ONCE, TEXTS_AT_ONCE]
    texts = {bytes([number]): "word " * 20_000 for number in range(5)}
    batches = list(books().batches(texts, MODEL))
    assert [list(batch.texts) for batch in batches] == [[b"\0", b"\1"], [b"\2", b"\3"], [b"\4"]]
    assert all(batch.tokens <= TOKENS_AT_ONCE for batch in batches)


async def test_when_a_limit_leaves_too_little_nothing_is_called_and_the_project_rests():
    shelf, model = Shelf("The sea."), Model()
    shelf.left = Decimal(0)
    assert await embedding(shelf, model).round() is True
    assert (model.calls, shelf.vectors, shelf.finished, shelf.rests) == ([], {}, [], [7])
    shelf.left = None
    await embedding(shelf, model).round()
    assert shelf.finished == shelf.chapters


async def test_a_model_without_a_price_needs_the_projects_consent():
    model = Model()
    model.name = "nomic-embed-text"
    shelf = Shelf("The sea.")
    await embedding(shelf, model).round()
    assert (model.calls, shelf.rests) == ([], [9])
    shelf.project = project(settings=GenerationSettings(allow_unpriced_models=True))
    await embedding(shelf, model).round()
    assert (len(model.calls), shelf.recorded[0][2]) == (1, None)


async def test_a_project_that_its_owner_may_not_see_any_more_rests():
    shelf, model = Shelf("The sea."), Model()
    shelf.project = None
    await embedding(shelf, model).round()
    assert (model.calls, shelf.rests) == ([], [9])


@pytest.mark.parametrize("failure", [ModelUnavailable("x"), ModelCredentialsRefused("x"), ModelUnknown("x")])
async def test_when_the_model_cannot_be_had_the_money_is_given_back_and_everybody_waits(failure):
    shelf, model = Shelf("The sea."), Model(failure)
    with pytest.raises(type(failure)):
        await embedding(shelf, model).round()
    assert (shelf.returned, shelf.recorded, shelf.rests, shelf.finished) == (shelf.held, [], [0.0], [])
    await embedding(shelf, model).round()
    assert shelf.finished == shelf.chapters


async def test_a_request_that_it_does_not_take_at_all_lets_only_this_project_wait():
    shelf, model = Shelf("The sea."), Model(ModelRejectedRequest("x"))
    assert await embedding(shelf, model).round() is True
    assert (shelf.returned, shelf.rests, shelf.finished) == (shelf.held, [9], [])


@pytest.mark.parametrize("failure", [ModelContextExceeded("x"), ModelRefusedContent("x")])
async def test_a_text_that_it_does_not_take_is_sought_out_and_left_alone(failure):
    class Narrow(Model):
        async def embed(self, texts, *, call_id):
            if any("endless" in text for text in texts):
                self.calls.append(list(texts))
                raise failure
            return await super().embed(texts, call_id=call_id)

    shelf, model = Shelf("The sea.", "An endless sentence.", "The lamp."), Narrow()
    await embedding(shelf, model).round()
    taken = {text_key(text) for text in ("Brief 1.", "Brief 2.", "Brief 3.", "The sea.", "The lamp.")}
    assert (shelf.vectors.keys(), shelf.finished, shelf.rests) == (taken, shelf.chapters, [0.0])
    assert {call.id for call in shelf.held} == {call.id for call in shelf.returned} | {call.id for call, _, _ in shelf.recorded}
    assert await embedding(shelf, model).round() is False


async def test_a_project_is_held_anew_before_each_call():
    shelf, model = Shelf(*(f"Chapter number {number}." for number in range(TEXTS_AT_ONCE))), Model()
    await embedding(shelf, model).round()
    assert shelf.renewals == len(model.calls) == 2


async def test_an_answer_that_cannot_be_read_has_been_paid_for():
    shelf = Shelf("The sea.")
    with pytest.raises(ModelMalformed):
        await embedding(shelf, Model(ModelMalformed("x"))).round()
    ((call, usage, _),) = shelf.recorded
    assert (call, usage, shelf.returned, shelf.vectors) == (shelf.held[0], shelf.held[0].expected, [], {})


async def test_what_was_bought_before_a_failure_is_not_bought_again():
    shelf = Shelf(*(f"Chapter number {number}." for number in range(TEXTS_AT_ONCE)))
    model = Model(None, ModelUnavailable("x"))
    with pytest.raises(ModelUnavailable):
        await embedding(shelf, model).round()
    await embedding(shelf, model).round()
    first, second, third = model.calls
    assert second == third
    assert not set(first) & set(third)


async def test_what_has_been_paid_for_is_recorded_as_soon_as_the_database_is_back():
    shelf = Shelf("The sea.")
    shelf.ailing = 1
    await embedding(shelf, Model()).round()
    assert (len(shelf.recorded), shelf.finished) == (1, shelf.chapters)


async def test_a_call_waits_for_its_place_and_does_not_wait_for_ever():
    shelf, model, near, far = Shelf("The sea."), Model(), Rates(0.001), Rates(100.0)
    with pytest.raises(ModelRateLimited) as caught:
        await embedding(shelf, model, rates=far).round()
    assert (caught.value.retry_after, model.calls, shelf.held, far.returned) == (100.0, [], [], far.booked)
    await embedding(shelf, model, rates=near).round()
    assert len(model.calls) == 1
    assert near.booked[0][0] == f"{MODEL} at http://gpu"


class EnoughRounds(Exception):  # noqa: N818
    pass


async def pauses_of(shelf, model, *, rounds):
    """How long so many rounds are waited for."""
    seen = []

    async def sleep(seconds):
        if len(seen) == rounds:
            raise EnoughRounds
        seen.append(seconds)

    pauses = Pauses(first=1, usual=10, short=2, longest=35)
    with pytest.raises(EnoughRounds):
        await Embedding(
            desk=shelf, library=shelf, model=model, books=books(), rates=None, address="http://gpu", pauses=pauses, sleep=sleep
        ).run()
    return seen


async def test_rounds_follow_each_other_closely_while_there_is_more_to_do():
    shelf = Shelf("The sea.")
    assert await pauses_of(shelf, Model(), rounds=4) == [1, 2, 10, 10]
    assert shelf.finished == shelf.chapters


async def test_pauses_double_while_the_model_fails_and_begin_anew_when_it_answers():
    shelf = Shelf("The sea.")
    model = Model(*(ModelUnavailable("x") for _ in range(4)))
    assert await pauses_of(shelf, model, rounds=7) == [1, 10, 20, 35, 35, 2, 10]
    assert shelf.finished == shelf.chapters


async def test_the_pause_after_a_failure_is_never_shorter_than_the_provider_asked():
    shelf, model = Shelf("The sea."), Model(ModelRateLimited("x", retry_after=60))
    assert await pauses_of(shelf, model, rounds=3) == [1, 60, 2]


async def test_a_database_that_is_away_does_not_end_the_rounds():
    class Away(Shelf):
        async def take_turn(self, **given):
            if not self.rests:
                self.rests.append("away")
                raise ConnectionError
            return await super().take_turn(**given)

    shelf = Away("The sea.")
    assert await pauses_of(shelf, Model(), rounds=4) == [1, 10, 2, 10]
    assert shelf.finished == shelf.chapters
