"""Earlier chapters as candidates: what happened, in their summaries, and how the last one ended, in its own words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import fsum
from sys import getsizeof
from uuid import UUID

from domain.prompting.candidates import Candidate, TokenMeter, Variant
from domain.prompting.excerpts import ending
from domain.prompting.material import ChapterText
from domain.prompting.receipts import Reason, Source, SourceKind
from domain.prompting.scene import Scene
from domain.prompting.sections import Section
from domain.prompting.untrusted import clean
from domain.prompting.worth import NEEDS, share_of_need, worth_of_tail

SUMMARY_STRENGTH = 0.8
SUMMARY_FADING = 0.1
"""A summary's recency is halved after ten chapters: the shape of a story outlasts its details."""

SHARED_NAME = 0.5
"""How strongly it speaks for an old summary that it names whom the request names and no other summary does."""

TAIL_TOKENS = (150, 400, 800, 1_600, 3_200)
CONTINUITY = 10.0
"""Added to the worth of the previous chapter's end: without its last lines a chapter cannot join on, whatever else is known."""


def chapter_candidates(scene: Scene, meter: TokenMeter) -> Iterator[Candidate]:
    told = [earlier for earlier in reversed(scene.earlier) if earlier.chapter.id not in scene.wish.exclude]
    distances = {earlier.chapter.id: distance for distance, earlier in enumerate(told, start=1)}
    rarity = _rarity(scene)
    judged = {
        earlier.chapter.id: _judge_summary(earlier, distances[earlier.chapter.id], scene, rarity)
        for earlier in told
        if scene.summary_of(earlier).text
    }
    merits = fsum(score for score, _ in judged.values())
    for earlier in scene.earlier:
        if earlier.chapter.id not in distances:
            yield _kept_out(earlier, Section.STORY_SO_FAR, Reason.EXCLUDED, ("excluded by the request",), meter)
            yield _kept_out(earlier, Section.PREVIOUS_END, Reason.EXCLUDED, ("excluded by the request",), meter)
            continue
        if earlier.chapter.id in judged:
            yield _summary(earlier, scene.summary_of(earlier).text, *judged[earlier.chapter.id], merits, meter)
        else:
            yield _kept_out(earlier, Section.STORY_SO_FAR, Reason.EMPTY, ("it has neither a summary nor a brief",), meter)
        yield _text(earlier, distances[earlier.chapter.id], scene, meter)


def _judge_summary(earlier: ChapterText, distance: int, scene: Scene, rarity: Mapping[UUID, float]) -> tuple[float, tuple[str, ...]]:
    """Its score, and the evidence."""
    chapter = earlier.chapter
    kind = _kind_of_summary(earlier)
    shared = {file_id: name for file_id, name in scene.summary_of(earlier).named.items() if file_id in rarity}
    recency = SUMMARY_STRENGTH / (1 + SUMMARY_FADING * (distance - 1))
    callback = SHARED_NAME * max((rarity[file_id] for file_id in shared), default=0.0)
    named = (f'"{name}" in the {kind} of chapter {chapter.position}' for name in shared.values())
    return 1 - (1 - recency) * (1 - callback), (_how_far(distance), *named)


def _summary(earlier: ChapterText, summary: str, score: float, evidence: tuple[str, ...], merits: float, meter: TokenMeter) -> Candidate:
    text = f"{heading(earlier)}: {summary}\n\n"
    tokens = meter.count_once(text)
    return Candidate(
        section=Section.STORY_SO_FAR,
        place=_place(earlier),
        label=f"{heading(earlier)} ({_kind_of_summary(earlier)})",
        source=_source(earlier),
        reason=Reason.RECENT,
        evidence=evidence,
        score=round(score, 4),
        variants=(Variant(text=text, tokens=tokens, worth=share_of_need(Section.STORY_SO_FAR.group, score, merits)),),
        tokens_in_full=tokens,
    )


def _kind_of_summary(earlier: ChapterText) -> str:
    return "summary" if earlier.chapter.summary else "brief"


def _rarity(scene: Scene) -> Mapping[UUID, float]:
    """For each file that the request names, the share of the summaries that do not: a protagonist in all of them tells none apart."""
    named = Counter(file_id for earlier in scene.earlier for file_id in scene.summary_of(earlier).named)
    return {file_id: 1 - named[file_id] / len(scene.earlier) for file_id in scene.requested if file_id in named}


def _text(earlier: ChapterText, distance: int, scene: Scene, meter: TokenMeter) -> Candidate:
    section = Section.PREVIOUS_END if distance == 1 else Section.EARLIER_TEXT
    pinned = earlier.chapter.id in scene.wish.include
    if not pinned and distance > 1:
        return _kept_out(earlier, section, Reason.NOT_RELEVANT, (_how_far(distance),), meter)
    text = earlier.content.text
    if not text:
        return _kept_out(earlier, section, Reason.EMPTY, ("it has no text",), meter)
    title = "" if distance == 1 else f"### {heading(earlier)}\n\n"  # the previous chapter's end stands in a section of its own
    if pinned:
        variants: Sequence[Variant] = (_variant(f"{title}{text}\n\n", meter, complete=True),)
    else:
        variants = scene.material.memory.derived(
            ("ends", meter.key, earlier.key),
            lambda: tuple(_variant(f"{form}\n\n", meter, complete=complete) for form, complete in _forms(text, meter)),
            size=lambda ends: sum(getsizeof(end.text) + 200 for end in ends),
            of=earlier.key,
        )
    return Candidate(
        section=section,
        place=_place(earlier),
        label=f"{heading(earlier)} (text)",
        source=_source(earlier),
        reason=Reason.PINNED if pinned else Reason.RECENT,
        evidence=("asked for by the request", _how_far(distance)) if pinned else (_how_far(distance),),
        required=pinned,
        variants=tuple(variants),
        tokens_in_full=variants[-1].tokens if variants[-1].complete else meter.estimate_once(text, earlier.key),
    )


def _forms(text: str, meter: TokenMeter) -> Iterator[tuple[str, bool]]:
    """Longer and longer ends of a text, each told to be complete or not."""
    last = ""
    for limit in TAIL_TOKENS:
        tail = ending(text, tokens=limit, meter=meter)
        if len(tail) > len(last):
            last = tail
            yield tail, tail == text


def _variant(text: str, meter: TokenMeter, *, complete: bool) -> Variant:
    tokens = meter.count(text)
    worth = NEEDS[Section.PREVIOUS_END.group] * (CONTINUITY + worth_of_tail(tokens))
    return Variant(text=text, tokens=tokens, worth=worth, complete=complete)


def _kept_out(earlier: ChapterText, section: Section, reason: Reason, why: tuple[str, ...], meter: TokenMeter) -> Candidate:
    is_summary = section is Section.STORY_SO_FAR
    tokens = (
        meter.estimate(earlier.chapter.summary or earlier.chapter.brief)
        if is_summary
        else meter.estimate_once(earlier.content.text, earlier.key)
    )
    return Candidate(
        section=section,
        place=_place(earlier),
        label=f"{heading(earlier)} ({'summary' if is_summary else 'text'})",
        source=_source(earlier),
        reason=reason,
        evidence=why,
        score=0.0,
        tokens_in_full=tokens,
    )


def heading(earlier: ChapterText) -> str:
    title = " ".join(clean(earlier.chapter.title).split())
    return f"Chapter {earlier.chapter.position}" + (f", “{title}”" if title else "")


def _place(earlier: ChapterText) -> tuple[str | int, ...]:
    return earlier.chapter.position, str(earlier.chapter.id)


def _source(earlier: ChapterText) -> Source:
    return Source(SourceKind.CHAPTER_VERSION, earlier.version_id)


def _how_far(distance: int) -> str:
    return "the previous chapter" if distance == 1 else f"{distance} chapters back"
