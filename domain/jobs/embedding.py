"""Embedding what is current, in the background: the passages of chapters, and the briefs of chapters that may be asked for.

Prompts look at the vectors that are there and wait for none. Every process that works on jobs offers to, one at a time for each project;
a text is embedded once for each model. The project's owner pays, within the project's budget and the owner's month.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import count, islice
from typing import Protocol
from uuid import UUID

from domain.chapters import Chapter
from domain.jobs.endpoints import ModelRates
from domain.llm.embeddings import EmbeddingModel
from domain.llm.failures import (
    ModelContextExceeded,
    ModelFailure,
    ModelMalformed,
    ModelRateLimited,
    ModelRefusedContent,
    ModelRejectedRequest,
    ModelUnknown,
)
from domain.llm.model import TokenUsage
from domain.llm.prices import PriceBook
from domain.ports import Clock, Ids, Library, Tokens
from domain.projects import Project
from domain.prompting.index.saved_text import StoredText
from domain.prompting.index.vectors import pack_vector, text_key, unit_vector
from domain.prompting.semantics import passage_texts, request_text
from domain.spending import Allowance

logger = logging.getLogger(__name__)

CHAPTERS_AT_ONCE = 20
TEXTS_AT_ONCE = 64
TOKENS_AT_ONCE = 50_000
HELD_SECONDS = 300.0
"""How long a project is held, anew before each call: longer than its wait, its answer and its record take. A later one does no harm."""
LONGEST_WAIT_SECONDS = 60.0
"""How long one call waits for its place when the operator limits how often the model is called."""
RECORDING_ATTEMPTS = 60
RECORDING_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingTurn:
    """A project that is held for this process, and chapters of it that may lack vectors; `user_id` is its owner."""

    project_id: UUID
    user_id: UUID
    chapter_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingCall:
    """A call for vectors, before it is made. `cost` is USD, None for a model without a known price."""

    id: UUID
    project_id: UUID
    user_id: UUID
    model: str
    expected: TokenUsage
    cost: Decimal | None


class EmbeddingDesk(Protocol):
    """What of all tenants' chapters lacks vectors, and the books of calls for them; no texts. Every method is a transaction."""

    async def take_turn(self, *, model: str, chapters: int, seconds: float) -> EmbeddingTurn | None:
        """Hold the project that has waited longest, for so many seconds; None when there is none, or somebody else was faster."""

    async def rest(self, project_id: UUID, *, seconds: float) -> None:
        """Let nobody take the project up for so long."""

    async def lacking(self, project_id: UUID, keys: Collection[bytes], *, model: str) -> Collection[bytes]:
        """Those of the keys for which the project has no vector."""

    async def hold(self, call: EmbeddingCall, *, at: datetime) -> Allowance | None:
        """Enter the call as uncertain before it is made, if the limits allow that; else nothing is entered, and the limit is answered."""

    async def give_back(self, call: EmbeddingCall, *, at: datetime) -> None:
        """The call was not billed."""

    async def record(
        self, call: EmbeddingCall, *, usage: TokenUsage, cost: Decimal | None, vectors: Mapping[bytes, bytes], at: datetime
    ) -> None:
        """Keep the vectors and enter what they cost in place of what was assumed, together. Doing it twice does it once."""

    async def done(self, chapters: Sequence[Chapter], *, model: str) -> None:
        """All of these chapters is embedded, as they are given; what has changed since comes up again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds. The loop's: before the first round, between rounds, while there is more to do, and at most while the model fails.

    A project's: when a limit leaves nothing, and when the model takes no such request or the project has not consented to an unpriced model.
    """

    first: float = 5.0
    usual: float = 30.0
    short: float = 0.5
    longest: float = 1_800.0
    out_of_funds: float = 600.0
    refused: float = 3_600.0


class _OutOfFunds(Exception):  # noqa: N818  - a state of affairs
    def __init__(self, limit: Allowance) -> None:
        super().__init__(limit.name)


class Embedding:
    """`rates` limits how often the model is called, together with all other processes; `address` is where it answers."""

    def __init__(
        self,
        *,
        desk: EmbeddingDesk,
        library: Library,
        model: EmbeddingModel,
        books: "Books",
        rates: ModelRates | None,
        address: str,
        pauses: Pauses = Pauses(),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._desk = desk
        self._library = library
        self._model = model
        self._books = books
        self._rates = rates
        self._endpoint = f"{model.name} at {address}"
        self._pauses = pauses
        self._sleep = sleep

    async def run(self) -> None:
        """Rounds until cancelled. After failures of the model the pauses double, and are never shorter than the provider asked."""
        pause, failed = self._pauses.first, 0
        while True:
            await self._sleep(pause)
            try:
                pause = self._pauses.short if await self.round() else self._pauses.usual
                failed = 0
            except ModelFailure as failure:
                pause = max(failure.retry_after or 0.0, min(self._pauses.longest, self._pauses.usual * 2**failed))
                failed = min(failed + 1, 20)
                logger.warning("embedding.failed", extra={"endpoint": self._endpoint, "reason": failure.code, "seconds": pause})
            except Exception:  # the database is away: there is time until the next round
                pause = self._pauses.usual
                logger.warning("embedding.round_failed", exc_info=True)

    async def round(self) -> bool:
        """Embed what some chapters of one project lack; whether there was one. Raises ModelFailure where other projects would meet it too."""
        turn = await self._desk.take_turn(model=self._model.name, chapters=CHAPTERS_AT_ONCE, seconds=HELD_SECONDS)
        if turn is None:
            return False
        rest = 0.0
        try:
            rest = await self._embed(turn)
        except _OutOfFunds as stop:
            rest = self._pauses.out_of_funds
            logger.info("embedding.out_of_funds", extra={"project": str(turn.project_id), "limit": str(stop)})
        except ModelRejectedRequest as failure:
            if isinstance(failure, ModelUnknown):
                raise
            rest = self._pauses.refused
            logger.warning("embedding.refused", extra={"project": str(turn.project_id), "reason": failure.code})
        finally:
            await self._desk.rest(turn.project_id, seconds=rest)
        return True

    async def _embed(self, turn: EmbeddingTurn) -> float:
        """Seconds for which the project is to be left alone."""
        async with self._library.reading(turn.user_id) as records:
            project = (await records.projects.get_many([turn.project_id])).get(turn.project_id)
            if project is None or not self._books.may_pay(project, self._model.name):
                return self._pauses.refused
            chapters = list((await records.chapters.get_many(turn.chapter_ids)).values())
            stored = await records.versions.stored_texts([each.current_version_id for each in chapters if each.current_version_id])
        texts = await asyncio.to_thread(_texts, chapters, stored)
        lacking = await self._desk.lacking(turn.project_id, texts.keys(), model=self._model.name)
        wanted = {key: text for key, text in texts.items() if key in lacking}
        for batch in await asyncio.to_thread(lambda: list(self._books.batches(wanted, self._model.name))):
            await self._buy(turn, batch)
        await self._desk.done(chapters, model=self._model.name)
        if wanted:
            logger.info("embedding.done", extra={"project": str(project.id), "chapters": len(chapters), "texts": len(wanted)})
        return 0.0

    async def _buy(self, turn: EmbeddingTurn, batch: "Batch") -> None:
        """Texts that the model does not take are sought out by halves; they stay unknown until their chapter changes."""
        try:
            await self._call(turn, batch)
        except (ModelContextExceeded, ModelRefusedContent) as failure:
            if len(batch.texts) == 1:
                logger.warning("embedding.text_refused", extra={"project": str(turn.project_id), "reason": failure.code})
                return
            half = len(batch.texts) // 2
            for part in (islice(batch.texts.items(), half), islice(batch.texts.items(), half, None)):
                for smaller in self._books.batches(dict(part), self._model.name):
                    await self._buy(turn, smaller)

    async def _call(self, turn: EmbeddingTurn, batch: "Batch") -> None:
        await self._desk.rest(turn.project_id, seconds=HELD_SECONDS)
        await self._wait_for_a_place(batch.tokens)
        call = self._books.call(turn, batch, self._model.name)
        if (limit := await self._desk.hold(call, at=self._books.clock())) is not None:
            raise _OutOfFunds(limit)
        try:
            embedded = await self._model.embed(list(batch.texts.values()), call_id=call.id)
        except ModelMalformed:  # an answer, for which somebody has probably been paid
            await self._record(call, call.expected, {})
            raise
        except ModelFailure:
            await self._desk.give_back(call, at=self._books.clock())
            raise
        vectors = await asyncio.to_thread(lambda: [pack_vector(unit_vector(vector)) for vector in embedded.vectors])
        usage = call.expected if embedded.tokens is None else _usage(embedded.tokens, estimated=False)
        await self._record(call, usage, dict(zip(batch.texts, vectors, strict=True)))

    async def _wait_for_a_place(self, tokens: int) -> None:
        if self._rates is None:
            return
        seconds = await self._rates.book(self._endpoint, tokens=tokens)
        if seconds > LONGEST_WAIT_SECONDS:
            await self._rates.give_back(self._endpoint, tokens=tokens)
            raise ModelRateLimited("The model is called as often as this server's operator allows.", retry_after=seconds)
        await self._sleep(seconds)

    async def _record(self, call: EmbeddingCall, usage: TokenUsage, vectors: Mapping[bytes, bytes]) -> None:
        """What has been paid for is not given up because the database is away for a moment."""
        at, cost = self._books.clock(), self._books.cost(call.model, usage)
        for attempt in count(1):
            try:
                await self._desk.record(call, usage=usage, cost=cost, vectors=vectors, at=at)
            except Exception:  # whatever ails the database; the domain does not know its drivers
                if attempt == RECORDING_ATTEMPTS:
                    raise
                logger.warning("embedding.recording_failed", exc_info=True, extra={"project": str(call.project_id)})
                await self._sleep(RECORDING_PAUSE_SECONDS)
            else:
                return


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts by their keys, to be embedded by one call."""

    texts: Mapping[bytes, str]
    tokens: int


class Books:
    """What calls for vectors come to."""

    def __init__(self, *, tokens: Tokens, prices: PriceBook, clock: Clock, ids: Ids) -> None:
        self._tokens = tokens
        self._prices = prices
        self._ids = ids
        self.clock = clock

    def may_pay(self, project: Project, model: str) -> bool:
        """As for all other calls: a model without a known price needs the project's consent."""
        return project.settings.allow_unpriced_models or self._prices.embedding_cost(model, 0) is not None

    def cost(self, model: str, usage: TokenUsage) -> Decimal | None:
        return self._prices.embedding_cost(model, usage.prompt_tokens)

    def call(self, turn: EmbeddingTurn, batch: Batch, model: str) -> EmbeddingCall:
        expected = _usage(batch.tokens, estimated=True)
        return EmbeddingCall(
            id=self._ids(),
            project_id=turn.project_id,
            user_id=turn.user_id,
            model=model,
            expected=expected,
            cost=self.cost(model, expected),
        )

    def batches(self, texts: Mapping[bytes, str], model: str) -> Iterator[Batch]:
        """CPU-bound: counts tokens."""
        open_texts: dict[bytes, str] = {}
        total = 0
        for key, text in texts.items():
            tokens = self._tokens.count(text, model=model)
            if open_texts and (len(open_texts) == TEXTS_AT_ONCE or total + tokens > TOKENS_AT_ONCE):
                yield Batch(open_texts, total)
                open_texts, total = {}, 0
            open_texts[key] = text
            total += tokens
        if open_texts:
            yield Batch(open_texts, total)


def _texts(chapters: Sequence[Chapter], stored: Mapping[UUID, StoredText]) -> dict[bytes, str]:
    """What is to be embedded of these chapters, each text once."""
    texts: dict[bytes, str] = {}
    for chapter in sorted(chapters, key=lambda each: each.position):
        asked = request_text(title=chapter.title, brief=chapter.brief)
        content = stored.get(chapter.current_version_id) if chapter.current_version_id else None
        for text in (*((asked,) if asked else ()), *(passage_texts(content.indexed()) if content else ())):
            texts[text_key(text)] = text
    return texts


def _usage(tokens: int, *, estimated: bool) -> TokenUsage:
    return TokenUsage(prompt_tokens=tokens, cached_prompt_tokens=0, completion_tokens=0, estimated=estimated)
