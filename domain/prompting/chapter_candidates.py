"""Earlier chapters as candidates: what happened, in their summaries, and how it was told, in their last pages."""

from collections import Counter
from collections.abc import Iterator, Mapping
from uuid import UUID

from domain.prompting.candidates import Candidate, TokenMeter, Variant, variants_of, worth
from domain.prompting.excerpts import ending
from domain.prompting.material import ChapterText
from domain.prompting.receipts import Reason, Source, SourceKind
from domain.prompting.scene import Scene
from domain.prompting.sections import Section
from domain.prompting.untrusted import clean

SUMMARY_STRENGTH = 0.8
SUMMARY_FADING = 0.1
"""A summary's recency is halved after ten chapters: the shape of a story outlasts its details."""

SHARED_NAME = 0.5
"""How strongly it speaks for an old summary that it names whom the request names and no other summary does."""

TAIL_TOKENS = (150, 400, 800, 1_600, 3_200)
OLDER_TAIL_TOKENS = (400, 800, 1_600)
CONTINUITY = 20.0
"""Added to the worth of the previous chapter's end: without its last lines a chapter cannot join on, whatever else is known."""

TAIL_REACH = 4
"""From how many chapters back text is sent for the sake of its voice; each step back halves its score."""


def chapter_candidates(scene: Scene, meter: TokenMeter) -> Iterator[Candidate]:
    rarity = _rarity(scene)
    distance = 0
    for earlier in reversed(scene.earlier):
        if earlier.chapter.id in scene.wish.exclude:
            yield _kept_out(earlier, Section.STORY_SO_FAR, Reason.EXCLUDED, ("excluded by the request",), meter)
            yield _kept_out(earlier, Section.PREVIOUS_END, Reason.EXCLUDED, ("excluded by the request",), meter)
            continue
        distance += 1
        yield _summary(earlier, distance, scene, meter, rarity)
        yield _text(earlier, distance, scene, meter)


def _summary(earlier: ChapterText, distance: int, scene: Scene, meter: TokenMeter, rarity: Mapping[UUID, float]) -> Candidate:
    chapter = earlier.chapter
    kind = "summary" if chapter.summary else "brief"
    told = _told(earlier)
    if not told:
        return _kept_out(earlier, Section.STORY_SO_FAR, Reason.EMPTY, ("it has neither a summary nor a brief",), meter)
    shared = {file_id: name for file_id, name in scene.named_in(told).items() if file_id in rarity}
    recency = SUMMARY_STRENGTH / (1 + SUMMARY_FADING * (distance - 1))
    callback = SHARED_NAME * max((rarity[file_id] for file_id in shared), default=0.0)
    score = round(1 - (1 - recency) * (1 - callback), 4)
    variants = variants_of([(f"{_heading(earlier)}: {told}\n\n", True)], score=score, meter=meter)
    return Candidate(
        section=Section.STORY_SO_FAR,
        place=_place(earlier),
        label=f"{_heading(earlier)} ({kind})",
        source=_source(earlier),
        reason=Reason.RECENT,
        evidence=(_how_far(distance), *(f'"{name}" in the {kind} of chapter {chapter.position}' for name in shared.values())),
        score=score,
        variants=variants,
        tokens_in_full=variants[-1].tokens,
    )


def _rarity(scene: Scene) -> Mapping[UUID, float]:
    """For each file that the request names, the share of the summaries that do not: a protagonist in all of them tells none apart."""
    named = Counter(file_id for earlier in scene.earlier for file_id in scene.named_in(_told(earlier)))
    return {file_id: 1 - named[file_id] / len(scene.earlier) for file_id in scene.requested if file_id in named}


def _told(earlier: ChapterText) -> str:
    return clean(earlier.chapter.summary or earlier.chapter.brief).strip()


def _text(earlier: ChapterText, distance: int, scene: Scene, meter: TokenMeter) -> Candidate:
    section = Section.PREVIOUS_END if distance == 1 else Section.EARLIER_TEXT
    pinned = earlier.chapter.id in scene.wish.include
    if not pinned and distance > TAIL_REACH:
        return _kept_out(earlier, section, Reason.NOT_RELEVANT, (_how_far(distance),), meter)
    text = earlier.content.text
    if not text:
        return _kept_out(earlier, section, Reason.EMPTY, ("it has no text",), meter)
    title = "" if distance == 1 else f"### {_heading(earlier)}\n\n"
    score = 1.0 if pinned else 0.5 ** (distance - 1)
    forms = ((text, True),) if pinned else _forms(text, meter, whole=distance == 1)
    bonus = CONTINUITY if distance == 1 else 0.0
    variants = tuple(_variant(f"{title}{form}\n\n", meter, score, bonus=bonus, complete=complete) for form, complete in forms)
    return Candidate(
        section=section,
        place=_place(earlier),
        label=f"{_heading(earlier)} (text)",
        source=_source(earlier),
        reason=Reason.PINNED if pinned else Reason.RECENT,
        evidence=("asked for by the request", _how_far(distance)) if pinned else (_how_far(distance),),
        score=score,
        required=pinned,
        variants=variants,
        tokens_in_full=variants[-1].tokens if variants[-1].complete else meter.estimate(text),
    )


def _forms(text: str, meter: TokenMeter, *, whole: bool) -> Iterator[tuple[str, bool]]:
    """Longer and longer ends of a text, each told to be complete or not; at last, if asked for, all of it."""
    last = ""
    for limit in TAIL_TOKENS if whole else OLDER_TAIL_TOKENS:
        tail = ending(text, tokens=limit, meter=meter)
        if len(tail) > len(last):
            last = tail
            yield tail, tail == text
    if whole and last != text:
        yield text, True


def _variant(text: str, meter: TokenMeter, score: float, *, bonus: float, complete: bool) -> Variant:
    tokens = meter.count(text)
    return Variant(text=text, tokens=tokens, worth=bonus + worth(score, tokens), complete=complete)


def _kept_out(earlier: ChapterText, section: Section, reason: Reason, why: tuple[str, ...], meter: TokenMeter) -> Candidate:
    what = "summary" if section is Section.STORY_SO_FAR else "text"
    text = (earlier.chapter.summary or earlier.chapter.brief) if section is Section.STORY_SO_FAR else earlier.content.text
    return Candidate(
        section=section,
        place=_place(earlier),
        label=f"{_heading(earlier)} ({what})",
        source=_source(earlier),
        reason=reason,
        evidence=why,
        score=0.0,
        tokens_in_full=meter.estimate(text),
    )


def _heading(earlier: ChapterText) -> str:
    title = " ".join(clean(earlier.chapter.title).split())
    return f"Chapter {earlier.chapter.position}" + (f", “{title}”" if title else "")


def _place(earlier: ChapterText) -> tuple[str | int, ...]:
    return earlier.chapter.position, str(earlier.chapter.id)


def _source(earlier: ChapterText) -> Source:
    return Source(SourceKind.CHAPTER_VERSION, earlier.version_id)


def _how_far(distance: int) -> str:
    return "the previous chapter" if distance == 1 else f"{distance} chapters back"
