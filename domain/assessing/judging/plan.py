"""The calls that judge a chapter: every concern for every part of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from domain.assessing.judging.answer_schema import JUDGEMENT, JUDGEMENT_SCHEMA
from domain.assessing.judging.concern import Concern, rubrics
from domain.assessing.judging.messages import assignment, brief_of, judging_fence, question, rules, shown
from domain.assessing.judging.parts import Part, parts_of
from domain.assessing.judging.sources import LabelledSource, sources_for
from domain.llm.model import CompletionRequest, Message
from domain.ports import Tokens
from domain.prompting.excerpts import WIDEST_TOKEN
from domain.prompting.material import PromptMaterial
from domain.prompting.untrusted import Fence, clean

PROMPT_PER_TEXT = 1.58
"""Tokens of a call for each token of the text it judges: what the rules, the rubric and the brief leave of it is the material's. With what
cutting and joining texts adds, a concern stays below 1.6."""

LEAST_MATERIAL = 800
"""Tokens, for all parts together: the beside of a short chapter is not much shorter than that of a long one."""

BEFORE_TOKENS = 120
"""Of how the part before ends, so that a part does not begin out of nothing."""

ANSWER_TOKENS = 4_096
"""The most that an answer may have: what all models in use can write, and twice what twelve findings need."""

EXPECTED_ANSWER_TOKENS = 900
"""Five findings of some 140 tokens, a rationale and two numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgementCall:
    """One question to the judge. `name` is unique within the plan and the same whenever the plan is made: "facts", or "facts:2".

    `sources` are those that the judge is shown; nothing else can be named in a finding.
    """

    concern: Concern
    part: Part
    name: str
    request: CompletionRequest
    prompt_tokens: int
    sources: tuple[LabelledSource, ...] = ()

    @property
    def messages(self) -> tuple[Message, ...]:
        return self.request.messages

    @property
    def response_schema(self) -> Mapping[str, Any] | None:
        return self.request.response_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingPlan:
    """Calls about one part follow each other, so that the provider has cached what they share. `version` is that of the rubrics;
    `brief` is the chapter's, cleaned; `version_id` is the text's, where it is one of the chapter's versions.
    """

    text: str
    brief: str
    version_id: UUID | None
    calls: tuple[JudgementCall, ...]
    version: str


def judgements(text: str, material: PromptMaterial, *, model: str, tokens: Tokens, version_id: UUID | None = None) -> JudgingPlan:
    """What to ask about `text` as the text of `material.chapter`. CPU-bound, off the event loop: 0.2 s for a novel, 1 s for a long series.

    A chapter of up to 6,000 tokens is one part. The same text and material give the same calls, byte for byte. `version_id` names the
    text as a source where it contradicts itself.
    """
    shelf = [
        _shelved(part, before, material, text=text, model=model, tokens=tokens)
        for part, before in _with_ends(parts_of(text, count=lambda piece: tokens.count(clean(piece), model=model)), text, model, tokens)
    ]
    sent = [source.sent for one in shelf for source in one.sources]
    fence = judging_fence(material.project, [material.project.title, assignment(material), clean(text), *sent])
    calls = [call for one in shelf for call in _calls(one, material, fence=fence, model=model, tokens=tokens)]
    return JudgingPlan(text=text, brief=brief_of(material), version_id=version_id, calls=tuple(calls), version=rubrics().version)


def judging_tokens(plan: JudgingPlan) -> tuple[int, int]:
    """How many tokens all calls will probably take: of their prompts, counted, and of their answers, expected."""
    return sum(call.prompt_tokens for call in plan.calls), EXPECTED_ANSWER_TOKENS * len(plan.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What all calls about one part show the judge: the part's text, cleaned, how the part before ends, and the sources."""

    part: Part
    before: str
    text: str
    sources: tuple[LabelledSource, ...] = ()

    def messages(self, material: PromptMaterial, fence: Fence) -> tuple[Message, Message]:
        sent = [source.sent for source in self.sources]
        return rules(material.project, fence), shown(material, sent, before=self.before, text=self.text, part=self.part, fence=fence)


def _with_ends(parts: Sequence[Part], text: str, model: str, tokens: Tokens) -> Iterator[tuple[Part, str]]:
    """Each part, and how the one before it ends."""
    before = ""
    for part in parts:
        yield part, before
        tail = clean(text[max(part.start, part.end - WIDEST_TOKEN * BEFORE_TOKENS) : part.end])
        before = tokens.take_last(tail, model=model, tokens=BEFORE_TOKENS).strip()


def _shelved(part: Part, before: str, material: PromptMaterial, *, text: str, model: str, tokens: Tokens) -> _Shown:
    bare = _Shown(part=part, before=before, text=clean(text[part.start : part.end]).strip("\n"))
    shared = tokens.count_messages(bare.messages(material, _ANY_FENCE), model=model)
    asked = max(tokens.count(question(rubric, part).text, model=model) for rubric in rubrics().of.values())
    room = int(PROMPT_PER_TEXT * tokens.count(bare.text, model=model)) - shared - asked
    room = max(LEAST_MATERIAL // part.of, room)
    return replace(bare, sources=sources_for(bare.text, material, room=room, model=model, tokens=tokens))


_ANY_FENCE = Fence("0" * 8)
"""As long as the one that is looked for when it is known what is sent."""


def _calls(one: _Shown, material: PromptMaterial, *, fence: Fence, model: str, tokens: Tokens) -> Iterator[JudgementCall]:
    begin = one.messages(material, fence)
    for concern, rubric in rubrics().of.items():
        request = CompletionRequest(
            model=model,
            messages=(*begin, question(rubric, one.part)),
            temperature=0.0,
            max_tokens=ANSWER_TOKENS,
            response_schema=JUDGEMENT_SCHEMA,
            schema_name=JUDGEMENT,
        )
        yield JudgementCall(
            concern=concern,
            part=one.part,
            name=concern.lower() + (f":{one.part.number}" if one.part.of > 1 else ""),
            request=request,
            prompt_tokens=tokens.count_messages(request.messages, model=model),
            sources=one.sources,
        )
