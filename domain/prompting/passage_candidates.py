"""Passages of earlier chapters as candidates: sentences that the chapter may come back to, and passages that are about the same.

These are found by words, and where their meaning is known by that: in one order, in which what both find comes first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, fsum, log2

from domain.prompting.callbacks import Callback, callbacks
from domain.prompting.candidates import Candidate, TokenMeter, Variant
from domain.prompting.chapter_candidates import heading
from domain.prompting.index.passages import Span, sentences
from domain.prompting.index.terms import stems
from domain.prompting.material import ChapterText
from domain.prompting.receipts import Reason, Source, SourceKind
from domain.prompting.scene import Request, Scene
from domain.prompting.search import Hit, Search
from domain.prompting.sections import Section
from domain.prompting.semantics import fused, nearest, request_text
from domain.prompting.worth import share_of_need

MOST_HITS = 20
MOST_CALLBACKS = 20
LEAST_CHANCE = 0.05
"""Below it, a phrase that two texts share is a coincidence."""

ALIKE = 0.7
"""A passage that shares so many of its terms with a better one says the same."""

RECENT_CHARACTERS = 14_400
"""The end of the previous chapter is not searched: it is sent as recent text, up to 3,200 tokens of it."""

LEAST_ABOUT = 0.004
"""A passage that is less likely to be about the request shares a word with it, and no more: it is not worth an author's money."""

HIT_CHANCE = 0.03
"""What is left of the chance that a passage is about the request, when asked whether the chapter needs its wording."""

USUAL_CHARACTERS = 500
"""The merit of passages that are about the request goes with their length: among them, the likelier comes first, not the shorter."""

CONTEXT = 0.04
"""What the rest of a passage adds to the worth of the sentences that matter."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A passage, with growing parts of it that matter, each with what it merits."""

    text: int
    passage: int
    chance: float
    parts: tuple[tuple[Span, float], ...]
    evidence: tuple[str, ...]

    @property
    def merit(self) -> float:
        return self.parts[-1][1]


def passage_candidates(scene: Scene, meter: TokenMeter, *, beyond_recent_text: bool = True) -> Iterator[Candidate]:
    """With `beyond_recent_text`, none of what is sent as the previous chapter's end; and never of chapters that are sent in full."""
    texts = [told.earlier for told in scene.told]
    nominated = [
        one
        for one in _found(scene, texts)
        if texts[one.text].chapter.id not in scene.wish.include and not (beyond_recent_text and _is_recent(one, texts))
    ]
    found, duplicates = _without_repetitions(nominated, scene.search)
    merits = fsum(one.merit for one in found)
    for one in found:
        yield _candidate(one, texts[one.text], share_of_need(Section.PASSAGES.group, one.merit, merits), meter)
    for one, better in duplicates:
        yield _duplicate(one, texts[one.text], _label(texts[better.text], better.passage), meter)


def _found(scene: Scene, texts: Sequence[ChapterText]) -> list[_Found]:
    """The likeliest first, each passage once."""
    request = "\n".join(text for _, text in scene.request.parts)
    material = scene.material
    calls = callbacks(request, texts, position=material.chapter.position, names=scene.name_words, language=material.project.language)
    found: dict[tuple[int, int], _Found] = {}
    for call in calls[:MOST_CALLBACKS]:
        if call.chance >= LEAST_CHANCE:
            _add(found, _called(call, texts, scene.request))
    for rank, (hit, is_close) in enumerate(_hits(scene.search, scene, texts), start=1):
        if (about := _chance_to_be_about(hit, rank)) >= LEAST_ABOUT:
            _add(found, _hit(hit, about * HIT_CHANCE, scene.search, texts, is_close=is_close))
    return sorted(found.values(), key=lambda one: (-one.chance, one.text, one.passage))


def _hits(search: Search, scene: Scene, texts: Sequence[ChapterText]) -> Iterator[tuple[Hit, bool]]:
    """The passages that are about the request, the likeliest first, and whether each is close to the brief in meaning.

    What is only close in meaning is taken to cover as much of the request as the least of what words find as well. So it may come before
    what only words find, but never before what both do.
    """
    hits = {(hit.text, hit.passage): hit for hit in search.hits(MOST_HITS)}
    asked = request_text(title=scene.request.title, brief=scene.request.brief)
    near = nearest(asked, [(text.key, text.content) for text in texts], scene.material.meanings, scene.material.memory)
    close = frozenset(near)
    found_twice = [hit.coverage for place, hit in hits.items() if place in close]
    assumed = min(found_twice or [hit.coverage for hit in hits.values()], default=0.0)
    for place in fused(list(hits), near):
        yield hits.get(place) or Hit(*place, score=0.0, coverage=assumed, named=False), place in close


def _add(found: dict[tuple[int, int], _Found], one: _Found) -> None:
    """A passage that is found twice comes back as one, for both reasons."""
    first = found.get((one.text, one.passage))
    if first is not None:
        (start, end), merit = first.parts[-1]
        more = tuple(((min(start, span[0]), max(end, span[1])), merit + added) for span, added in one.parts)
        chance = 1 - (1 - first.chance) * (1 - one.chance)
        one = _Found(one.text, one.passage, chance, (*first.parts, *more), tuple(dict.fromkeys((*first.evidence, *one.evidence))))
    found[one.text, one.passage] = one


def _called(call: Callback, texts: Sequence[ChapterText], request: Request) -> _Found:
    spans = texts[call.text].content.index.spans
    passage = next(number for number, (start, end) in enumerate(spans) if start <= call.span[0] < end)
    where = next(name for name, text in request.parts if call.asked in text)
    evidence = (f'"{call.asked}" in the {where}', f'"{call.said}" in {_where(texts[call.text], passage)}')
    return _Found(call.text, passage, call.chance, ((call.span, call.chance),), evidence)


def _where(text: ChapterText, passage: int) -> str:
    return f"passage {passage + 1} of chapter {text.chapter.position}"


def _chance_to_be_about(hit: Hit, rank: int) -> float:
    """That a passage of this rank (from 1) is what the request is about; measured on questions whose passage is known."""
    return 1 / (1 + exp(2.5 - 3.5 * hit.coverage + 1.1 * log2(rank)))


def _hit(hit: Hit, chance: float, search: Search, texts: Sequence[ChapterText], *, is_close: bool) -> _Found:
    text = texts[hit.text]
    span, shared = _telling_half(text, hit.passage, search)
    where = _where(text, hit.passage)
    words = tuple(f'"{word}" in {where}' for word in shared[:4]) if hit.score else ()
    evidence = (*words, f"close in meaning to the brief ({where})") if is_close else words
    return _Found(hit.text, hit.passage, chance, ((span, chance * (span[1] - span[0]) / USUAL_CHARACTERS),), evidence)


def _telling_half(text: ChapterText, passage: int, search: Search) -> tuple[Span, list[str]]:
    """The shortest run of sentences, of at least half of the passage, that holds most of the request's weight; and the words it holds."""
    content = text.content
    start, end = content.index.spans[passage]
    spans = list(sentences(content.text, (start, end)))
    held = [_shared(content.text[first:last], search) for first, last in spans]
    best: tuple[float, int] | None = None
    chosen, shared = (start, end), dict[str, str]()
    for first in range(len(spans)):
        got: dict[str, str] = {}
        for last in range(first, len(spans)):
            got |= held[last]
            length = spans[last][1] - spans[first][0]
            if 2 * length >= end - start:
                key = (fsum(search.weights[term] for term in got), -length)
                if best is None or key > best:
                    best, chosen, shared = key, (spans[first][0], spans[last][1]), got
                break
    return chosen, [word for _, word in sorted((-search.weights[term], word) for term, word in shared.items())]


def _shared(line: str, search: Search) -> dict[str, str]:
    """The terms of the request in a sentence, each as it stands there."""
    return {term: word for word, term in stems(line) if term in search.weights}


def _is_recent(one: _Found, texts: Sequence[ChapterText]) -> bool:
    text = texts[one.text]
    return text is texts[-1] and text.content.index.spans[one.passage][1] > len(text.content.text) - RECENT_CHARACTERS


def _without_repetitions(found: Sequence[_Found], search: Search) -> tuple[list[_Found], list[tuple[_Found, _Found]]]:
    """Those that say something of their own, and the others, each with the better one that says the same."""
    kept: list[tuple[_Found, frozenset[str]]] = []
    duplicates = []
    for one in found:
        own = frozenset(search.terms_of(one.text, one.passage))
        better = next((other for other, others in kept if len(own & others) > ALIKE * len(own | others)), None)
        if better is None:
            kept.append((one, own))
        else:
            duplicates.append((one, better))
    return [one for one, _ in kept], duplicates


def _candidate(one: _Found, text: ChapterText, worth: float, meter: TokenMeter) -> Candidate:
    whole = text.content.index.spans[one.passage]
    parts = dict([*one.parts, (whole, one.merit * (1 + CONTEXT))])
    variants = [_variant(text, span, worth * merit / one.merit, meter) for span, merit in parts.items()]
    return Candidate(
        section=Section.PASSAGES,
        place=(text.chapter.position, str(text.chapter.id), one.passage),
        label=_label(text, one.passage),
        source=Source(SourceKind.CHAPTER_VERSION, text.version_id),
        reason=Reason.RELEVANT,
        evidence=one.evidence,
        score=round(one.chance, 4),
        variants=tuple(variants),
        tokens_in_full=variants[-1].tokens,
    )


def _variant(text: ChapterText, span: Span, worth: float, meter: TokenMeter) -> Variant:
    rendered = f"### {heading(text)}\n\n{text.content.text[span[0] : span[1]]}\n\n"
    source = Source(SourceKind.CHAPTER_VERSION, text.version_id)
    whole = span in text.content.index.spans
    return Variant(text=rendered, tokens=meter.price(rendered, source, (span,)), worth=worth, complete=whole, spans=(span,))


def _duplicate(one: _Found, text: ChapterText, better: str, meter: TokenMeter) -> Candidate:
    start, end = text.content.index.spans[one.passage]
    return Candidate(
        section=Section.PASSAGES,
        place=(text.chapter.position, str(text.chapter.id), one.passage),
        label=_label(text, one.passage),
        source=Source(SourceKind.CHAPTER_VERSION, text.version_id),
        reason=Reason.DUPLICATE,
        evidence=(f"says the same as {better}", *one.evidence),
        score=0.0,
        tokens_in_full=meter.estimate(text.content.text[start:end]),
    )


def _label(text: ChapterText, passage: int) -> str:
    return f"{heading(text)} (passage {passage + 1})"
