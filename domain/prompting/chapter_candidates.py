"""Earlier chapters as candidates: what happened, in their summaries, and how it was told, in their last pages."""

from collections.abc import Collection, Iterator
from uuid import UUID

from domain.prompting.candidates import Candidate, Counter, Variant, variants_of, worth
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
"""How strongly it speaks for an old summary that it names whom the request names."""

TAIL_TOKENS = (150, 400, 800, 1_600, 3_200)
OLDER_TAIL_TOKENS = (400, 800, 1_600)
TAIL_REACH = 4
"""From how many chapters back text is sent for the sake of its voice; each step back halves its score."""


def chapter_candidates(scene: Scene, counter: Counter) -> Iterator[Candidate]:
    requested = scene.requested().keys()
    distance = 0
    for earlier in reversed(scene.earlier):
        if earlier.chapter.id in scene.wish.exclude:
            yield _kept_out(earlier, Section.STORY_SO_FAR, Reason.EXCLUDED, ("excluded by the request",), counter)
            yield _kept_out(earlier, Section.PREVIOUS_END, Reason.EXCLUDED, ("excluded by the request",), counter)
            continue
        distance += 1
        yield _summary(earlier, distance, scene, counter, requested=requested)
        yield _text(earlier, distance, scene, counter)


def _summary(earlier: ChapterText, distance: int, scene: Scene, counter: Counter, *, requested: Collection[UUID]) -> Candidate:
    chapter = earlier.chapter
    told = clean(chapter.summary or chapter.brief).strip()
    if not told:
        return _kept_out(earlier, Section.STORY_SO_FAR, Reason.EMPTY, ("it has neither a summary nor a brief",), counter)
    shared = [name for file_id, name in scene.named_in(told).items() if file_id in requested]
    recency = SUMMARY_STRENGTH / (1 + SUMMARY_FADING * (distance - 1))
    score = round(1 - (1 - recency) * (1 - SHARED_NAME) if shared else recency, 4)
    variants = variants_of([(f"{_heading(earlier)}: {told}\n\n", True)], score=score, counter=counter)
    return Candidate(
        section=Section.STORY_SO_FAR,
        place=_place(earlier),
        label=f"{_heading(earlier)} ({'summary' if chapter.summary else 'brief'})",
        source=_source(earlier),
        reason=Reason.RECENT,
        evidence=(*(f'"{name}" in the summary of chapter {chapter.position}' for name in shared[:3]), _how_far(distance)),
        score=score,
        variants=variants,
        tokens_in_full=variants[-1].tokens,
    )


def _text(earlier: ChapterText, distance: int, scene: Scene, counter: Counter) -> Candidate:
    section = Section.PREVIOUS_END if distance == 1 else Section.EARLIER_TEXT
    if not earlier.text.strip():
        return _kept_out(earlier, section, Reason.EMPTY, ("it has no text",), counter)
    pinned = earlier.chapter.id in scene.wish.include
    if not pinned and distance > TAIL_REACH:
        return _kept_out(earlier, section, Reason.NOT_RELEVANT, (_how_far(distance),), counter)
    score = 1.0 if pinned else 0.5 ** (distance - 1)
    variants = (_whole(earlier, counter, score),) if pinned else tuple(_tails(earlier, distance, counter, score))
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
        tokens_in_full=variants[-1].tokens if variants[-1].complete else counter.estimate(earlier.text),
    )


def _tails(earlier: ChapterText, distance: int, counter: Counter, score: float) -> Iterator[Variant]:
    """Longer and longer ends of the chapter; of the previous one, at last the whole."""
    title = "" if distance == 1 else f"### {_heading(earlier)}\n\n"
    reached = 0
    for limit in TAIL_TOKENS if distance == 1 else OLDER_TAIL_TOKENS:
        tail = ending(clean(earlier.text[-_WIDEST_TOKEN * limit :]).strip(), tokens=limit, counter=counter)
        text = f"{title}{tail}\n\n"
        tokens = counter.count(text)
        if tokens > reached:
            reached = tokens
            yield Variant(text=text, tokens=tokens, worth=worth(score, tokens), complete=False)
    if distance == 1:
        yield _whole(earlier, counter, score)


def _whole(earlier: ChapterText, counter: Counter, score: float) -> Variant:
    text = f"### {_heading(earlier)}\n\n{clean(earlier.text).strip()}\n\n"
    tokens = counter.count(text)
    return Variant(text=text, tokens=tokens, worth=worth(score, tokens))
