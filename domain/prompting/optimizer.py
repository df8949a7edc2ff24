"""Building a chapter's prompt: everything that could matter is weighed, the best of it fits the token budget, and a receipt says why.

Nothing is random and nothing depends on the order in which the material was loaded: the same material and wish give the same bytes,
so a preview is what will be sent.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from domain.errors import PromptTooSmall, RequiredPart
from domain.llm.model import Message
from domain.ports import Tokens
from domain.prompting.candidates import Candidate, TokenMeter, Variant
from domain.prompting.chapter_candidates import chapter_candidates
from domain.prompting.digest import prompt_digest, stable_prefix_tokens
from domain.prompting.genres import GenreProfile
from domain.prompting.layout import frame, lay_out
from domain.prompting.material import PromptMaterial, PromptWish
from domain.prompting.passage_candidates import passage_candidates
from domain.prompting.receipts import Decision, Prompt, PromptItem, PromptReceipt, Reason
from domain.prompting.reference_candidates import reference_candidates
from domain.prompting.scene import Scene, prepare
from domain.prompting.selection import Offer, Queue, queue
from domain.prompting.task import book_instructions, chapter_instructions, premise, task
from domain.prompting.untrusted import Fence, fence_for

Sent = Mapping[int, Variant]
"""What is sent of each candidate, by its index."""


def build_prompt(material: PromptMaterial, wish: PromptWish, *, tokens: Tokens) -> Prompt:
    """The prompt for a draft of `material.chapter`. CPU-bound, with a warm memory: some 25 ms for a novel of 235,000
    tokens with 100 files, 0.1 s for a series of 1.6 million with 570; the first prompt of a memory takes six to ten times as long.

    Raises PromptTooSmall when what must be sent (rules, style notes, brief, and what the author always wants or has asked for) exceeds
    the budget. The receipt's items, the scaffolding included, sum to its `tokens_used`, which is what the request is billed as.
    """
    meter = TokenMeter(tokens, wish.model, material.memory)
    scene = prepare(material, wish)
    candidates, fence = _candidates(scene, meter)
    sent = _chosen(candidates, fence, meter, scene)
    messages = _messages(candidates, sent, fence)
    tokens_used = meter.count_messages(messages)
    return Prompt(
        messages=messages,
        message_tokens=tuple(map(meter.count_message, messages)),
        receipt=PromptReceipt(
            digest=prompt_digest(messages),
            model=wish.model,
            tokenizer=meter.tokenizer.name,
            tokenizer_exact=meter.tokenizer.exact,
            token_budget=wish.token_budget,
            tokens_used=tokens_used,
            stable_prefix_tokens=stable_prefix_tokens(messages, material.previous, tokens=tokens, model=wish.model),
            items=tuple(_items(candidates, sent, tokens_used)),
        ),
    )


def project_candidates(scene: Scene, meter: TokenMeter, *, recent_text_is_sent: bool = True) -> list[Candidate]:
    """What of the project's own material could be sent, apart from the recent text: sheets, notes and passages of earlier chapters."""
    return [*reference_candidates(scene, meter), *passage_candidates(scene, meter, beyond_recent_text=recent_text_is_sent)]


def choose(candidates: Sequence[Candidate], *, room: int, profile: GenreProfile) -> Sent:
    """The variants of the optional candidates to send in `room` tokens."""
    waiting = plan(candidates, profile)
    return {index: candidates[index].variants[variant] for index, variant in waiting.within(room).items()}


def _candidates(scene: Scene, meter: TokenMeter) -> tuple[Sequence[Candidate], Fence]:
    """In the order in which they would be sent, and a fence that none of them can forge."""
    project = scene.material.project
    candidates = [
        *book_instructions(project, meter),
        *premise(project, meter),
        *project_candidates(scene, meter),
        *chapter_candidates(scene, meter),
        *chapter_instructions(scene, meter),
    ]
    texts = [variant.text for candidate in candidates for variant in candidate.variants]
    fence = fence_for(project.id.bytes, [*texts, project.title, project.audience or ""])
    candidates.append(task(project, fence, meter))
    return sorted(candidates, key=lambda candidate: candidate.position), fence


def _chosen(candidates: Sequence[Candidate], fence: Fence, meter: TokenMeter, scene: Scene) -> Sent:
    budget = scene.wish.token_budget
    required = {index: candidate.variants[-1] for index, candidate in enumerate(candidates) if candidate.required}
    needed = meter.count_messages(_messages(candidates, required, fence))
    if needed > budget:
        raise PromptTooSmall(budget, needed, tuple(_parts(candidates)))
    waiting = plan(candidates, scene.profile)
    room = budget - needed - _tokens_of_new_frames(candidates, fence, meter)
    while True:
        sent = required | {index: candidates[index].variants[variant] for index, variant in waiting.within(room).items()}
        excess = meter.count_messages(_messages(candidates, sent, fence)) - budget
        if excess <= 0:
            return sent
        room -= excess  # strange texts can join into other tokens than they were counted in, so that the sum is off by a few


def _parts(candidates: Iterable[Candidate]) -> Iterator[RequiredPart]:
    required = [candidate for candidate in candidates if candidate.required]
    for candidate in sorted(required, key=lambda candidate: (-candidate.tokens_in_full, candidate.position)):
        yield RequiredPart(candidate.label, candidate.tokens_in_full)


def plan(candidates: Iterable[Candidate], profile: GenreProfile) -> Queue:
    """In which order the optional candidates are sent, as there is room."""
    offers = [
        Offer(group=candidate.section.group, score=candidate.score, variants=() if candidate.required else candidate.variants)
        for candidate in candidates
    ]
    return queue(offers, profile.shares)


def _tokens_of_new_frames(candidates: Iterable[Candidate], fence: Fence, meter: TokenMeter) -> int:
    """Held back for every section that might open, so that the price of a candidate does not depend on its neighbours."""
    opened = {candidate.section for candidate in candidates if candidate.required}
    possible = {candidate.section for candidate in candidates if candidate.variants} - opened
    return sum(meter.count(part) for section in possible for part in frame(section, fence))


def _messages(candidates: Sequence[Candidate], sent: Sent, fence: Fence) -> tuple[Message, ...]:
    return lay_out(((candidates[index], variant.text) for index, variant in sent.items()), fence)


def _items(candidates: Sequence[Candidate], sent: Sent, tokens_used: int) -> Iterator[PromptItem]:
    """As they are sent; what is left out stands in its section behind them. The last one is the scaffolding."""
    order = sorted(range(len(candidates)), key=lambda index: (candidates[index].section.rank, index not in sent, index))
    for index in order:
        yield _item(candidates[index], sent.get(index))
    scaffolding = tokens_used - sum(variant.tokens for variant in sent.values())
    yield PromptItem(
        source=None,
        label="Headings, fences and message overhead",
        group="scaffolding",
        decision=Decision.FULL,
        reason=Reason.MANDATORY,
        evidence=(),
        score=1.0,
        tokens=scaffolding,
        tokens_in_full=scaffolding,
    )


def _item(candidate: Candidate, sent: Variant | None) -> PromptItem:
    crowded_out = sent is None and candidate.variants
    return PromptItem(
        source=candidate.source,
        label=candidate.label,
        group=candidate.section.group,
        decision=_decision(sent),
        reason=Reason.NO_ROOM if crowded_out else candidate.reason,
        evidence=candidate.evidence,
        score=candidate.score,
        tokens=sent.tokens if sent else 0,
        tokens_in_full=candidate.tokens_in_full,
    )


def _decision(sent: Variant | None) -> Decision:
    if sent is None:
        return Decision.LEFT_OUT
    return Decision.FULL if sent.complete else Decision.REDUCED
