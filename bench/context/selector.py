"""Answering a benchmark's questions with the product's own candidates and its own selection."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from bench.context.state import State
from domain.llm.tokens import TokenCounter
from domain.prompting.candidates import Candidate, TokenMeter, Variant
from domain.prompting.index.passages import Span
from domain.prompting.material import PromptWish
from domain.prompting.optimizer import choose, project_candidates
from domain.prompting.receipts import Source
from domain.prompting.scene import prepare

MODEL = "gpt-4o"
_QUOTED = re.compile(r'"([^"]+)"')


class PriceList(TokenMeter):
    """Prices parts of a source as the benchmark does: by the share of an item's own tokens, without headings."""

    def __init__(self, tokens: TokenCounter, state: State) -> None:
        super().__init__(tokens, MODEL)
        self._state = state

    @property
    def key(self) -> str:
        return "a benchmark's own counts"

    def price(self, text: str, source: Source, spans: Sequence[Span]) -> int:  # noqa: ARG002  - headings cost nothing here
        return self._state.cost(source.id, spans)


class Selector:
    def __init__(self) -> None:
        self._tokens = TokenCounter()

    def select(self, state: State, *, brief: str, budget: int) -> list[dict[str, Any]]:
        """The pieces to send, in the order of the prompt. The recent text is not asked for: it is taken to be sent anyway."""
        meter = PriceList(self._tokens, state)
        scene = prepare(state.material, PromptWish(model=MODEL, token_budget=budget, brief=brief))
        candidates = sorted(project_candidates(scene, meter, recent_text_is_sent=False), key=lambda candidate: candidate.position)
        chosen = choose(candidates, room=budget, profile=scene.profile)
        answers, before = [], brief
        for index, variant in sorted(chosen.items()):
            answers += _answers(candidates[index], variant, state, before)
            before += "\n" + variant.text
        return answers


def _answers(candidate: Candidate, variant: Variant, state: State, before: str) -> Iterator[dict[str, Any]]:
    """One for each item that the variant touches. `before`: the brief and what stands before it, where its cue has to be found."""
    assert candidate.source is not None
    quoted = (words for text in candidate.evidence for words in _QUOTED.findall(text))
    cue = next((words for words in quoted if words.lower() in before.lower()), None)
    for piece, (start, end) in state.touched(candidate.source.id, variant.spans):
        answer: dict[str, Any] = {"id": piece.id}
        if piece.unchanged and (start > piece.start or end < piece.end):
            answer["span"] = [start - piece.start, end - piece.start]
        if candidate.evidence:
            answer["why"] = candidate.evidence[0]
        if cue:
            answer["cue"] = cue
        yield answer
