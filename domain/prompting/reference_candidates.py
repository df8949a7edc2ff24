"""Reference files as candidates: their standing, their evidence, and the forms they can be sent in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from sys import getsizeof
from uuid import UUID

from domain.prompting.candidates import Candidate, TokenMeter, Variant
from domain.prompting.excerpts import WIDEST_TOKEN, Form, by_relevance, forms, quote
from domain.prompting.lanes.judgement import Judgement, judge
from domain.prompting.material import ReferenceText
from domain.prompting.receipts import Reason, Source, SourceKind
from domain.prompting.scene import Scene
from domain.prompting.sections import THIS_CHAPTER, WHOLE_BOOK, Section
from domain.prompting.untrusted import clean
from domain.prompting.worth import share_of_need, share_of_text
from domain.reference_files import InclusionPolicy, ReferenceFile

_KEPT_PASSAGES = 4
"""A file with more passages is cut anew for each request, since these come in too many orders to keep the forms of all."""


def reference_candidates(scene: Scene, meter: TokenMeter) -> Iterator[Candidate]:
    for file, reason, why in scene.barred:
        yield _kept_out(file, reason, why)
    judged = judge(scene)
    ranked = sorted(scene.references, key=lambda reference: _rank(reference, judged, scene))
    firsts: dict[str, ReferenceFile] = {}
    optional: list[tuple[ReferenceText, Judgement]] = []
    for reference in ranked:
        file = reference.file
        found = judged.get(file.id)
        evidence = found.evidence if found else ()
        first = firsts.setdefault(reference.content.text, file)
        if first is not file:
            yield _kept_out(file, Reason.DUPLICATE, (f"the same text as “{_title(first)}”",))
        elif file.id in scene.wish.include:
            yield _required(reference, meter, Reason.PINNED, ("asked for by the request", *evidence))
        elif file.inclusion is InclusionPolicy.ALWAYS:
            yield _required(reference, meter, Reason.ALWAYS, ("its inclusion policy is always", *evidence))
        elif found:
            optional.append((reference, found))
        else:
            yield _kept_out(file, Reason.NOT_RELEVANT, ())
    yield from _relevant(optional, scene, meter)


def _relevant(optional: Sequence[tuple[ReferenceText, Judgement]], scene: Scene, meter: TokenMeter) -> Iterator[Candidate]:
    merits: dict[Section, list[float]] = {}
    for reference, found in optional:
        merits.setdefault(THIS_CHAPTER[reference.file.kind], []).append(found.merit)
    sums = {section: fsum(each) for section, each in merits.items()}
    for reference, found in optional:
        file, section = reference.file, THIS_CHAPTER[reference.file.kind]
        emphasis = scene.profile.emphasis[file.kind]
        worth = emphasis * share_of_need(section.group, found.merit, sums[section])
        variants = tuple(_variants(reference, found, worth, scene, meter))
        yield Candidate(
            section=section,
            place=_place(file),
            label=_title(file),
            source=_source(file),
            reason=found.reason,
            evidence=found.evidence,
            score=round(min(1.0, found.score * emphasis), 4),
            variants=variants,
            tokens_in_full=variants[-1].tokens if variants and variants[-1].complete else file.token_count,
        )


@dataclass(frozen=True, slots=True)
class _Priced:
    """A form as it would be sent, and what that costs."""

    form: Form
    text: str
    tokens: int

    def variant(self, worth: float) -> Variant:
        return Variant(text=self.text, tokens=self.tokens, worth=worth, complete=self.form.complete, spans=self.form.spans)


def _variants(reference: ReferenceText, found: Judgement, worth: float, scene: Scene, meter: TokenMeter) -> Iterator[Variant]:
    length = len(reference.content.text)
    for priced in _priced(reference, found.passages, WIDEST_TOKEN * scene.wish.token_budget, scene, meter):
        yield priced.variant(worth * share_of_text(priced.form.characters, length))


def _priced(reference: ReferenceText, relevance: Mapping[int, float], most: int, scene: Scene, meter: TokenMeter) -> Sequence[_Priced]:
    """The forms of at most so many characters. What can only come in a few orders is kept from one prompt to the next."""
    file, content = reference.file, reference.content

    def make() -> Sequence[_Priced]:
        return [_price(reference, form, meter) for form in forms(content, relevance) if form.characters <= most]

    if len(content.index.spans) > _KEPT_PASSAGES or len(content.text) > most:
        return make()
    key = ("forms", meter.key, reference.key, file.name, file.aliases, by_relevance(content, relevance))
    return scene.material.memory.derived(key, make, size=_size, of=reference.key)


def _size(priced: Sequence[_Priced]) -> int:
    return sum(getsizeof(one.text) + 120 * len(one.form.spans) + 400 for one in priced)


def _price(reference: ReferenceText, form: Form, meter: TokenMeter) -> _Priced:
    file = reference.file
    rendered = _rendered(file, quote(reference.content.text, form.spans), note="" if form.complete else " (excerpt)")
    return _Priced(form, rendered, meter.price(rendered, _source(file), form.spans))


def _rank(reference: ReferenceText, judged: Mapping[UUID, Judgement], scene: Scene) -> tuple[bool, bool, float, str, str, UUID]:
    """Of files with the same text, the first is sent."""
    file = reference.file
    pinned, always = file.id in scene.wish.include, file.inclusion is InclusionPolicy.ALWAYS
    score = judged[file.id].score if file.id in judged else 0.0
    return not pinned, not always, -score, file.kind, file.name, file.id


def _required(reference: ReferenceText, meter: TokenMeter, reason: Reason, why: tuple[str, ...]) -> Candidate:
    file = reference.file
    sections = WHOLE_BOOK if file.inclusion is InclusionPolicy.ALWAYS else THIS_CHAPTER
    everything = Form(((0, len(reference.content.text)),), len(reference.content.text), complete=True)
    variant = _price(reference, everything, meter).variant(0.0)
    return Candidate(
        section=sections[file.kind],
        place=_place(file),
        label=_title(file),
        source=_source(file),
        reason=reason,
        evidence=why,
        required=True,
        variants=(variant,),
        tokens_in_full=variant.tokens,
    )


def _kept_out(file: ReferenceFile, reason: Reason, why: tuple[str, ...]) -> Candidate:
    """Its tokens are those counted when it was stored: a text that is not sent need not be read again."""
    return Candidate(
        section=THIS_CHAPTER[file.kind],
        place=_place(file),
        label=_title(file),
        source=_source(file),
        reason=reason,
        evidence=why,
        score=0.0,
        tokens_in_full=file.token_count,
    )


def _rendered(file: ReferenceFile, text: str, *, note: str = "") -> str:
    aliases = ", ".join(sorted({" ".join(clean(alias).split()) for alias in file.aliases} - {""}))
    also = f"Also called: {aliases}\n\n" if aliases else ""
    return f"### {_title(file)}{note}\n\n{also}{text}\n\n"


def _title(file: ReferenceFile) -> str:
    return " ".join(clean(file.name).split())


def _place(file: ReferenceFile) -> tuple[str | int, ...]:
    return _title(file), str(file.id)


def _source(file: ReferenceFile) -> Source:
    return Source(SourceKind.REFERENCE_FILE, file.id)
