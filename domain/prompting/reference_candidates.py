"""Reference files as candidates: their standing, their evidence, and the forms they can be sent in."""

from collections.abc import Collection, Iterator
from uuid import UUID

from domain.prompting.candidates import Candidate, TokenMeter, Variant, variants_of
from domain.prompting.excerpts import excerpt
from domain.prompting.genres import effective_profile
from domain.prompting.lanes import gather_evidence
from domain.prompting.lanes.evidence import Evidence, combined_strength
from domain.prompting.receipts import Reason, Source, SourceKind
from domain.prompting.scene import Reference, Scene
from domain.prompting.sections import THIS_CHAPTER, WHOLE_BOOK
from domain.prompting.untrusted import clean
from domain.reference_files import InclusionPolicy, ReferenceFile


def reference_candidates(scene: Scene, meter: TokenMeter) -> Iterator[Candidate]:
    for file, reason, why in scene.barred:
        yield _kept_out(file, reason, why)
    evidence = gather_evidence(scene)
    emphasis = effective_profile(scene.material.project).emphasis
    scores = {
        reference.file.id: _score(evidence.get(reference.file.id, ()), emphasis[reference.file.kind]) for reference in scene.references
    }
    ranked = sorted(scene.references, key=lambda reference: _rank(reference, scores[reference.file.id], scene))
    firsts: dict[str, ReferenceFile] = {}
    for reference in ranked:
        file = reference.file
        found = evidence.get(file.id, ())
        first = firsts.setdefault(" ".join(reference.text.split()), file)
        if first is not file:
            yield _kept_out(file, Reason.DUPLICATE, (f"the same text as “{_title(first)}”",))
        elif file.id in scene.wish.include:
            yield _required(reference, meter, Reason.PINNED, ("asked for by the request", *_texts(found)))
        elif file.inclusion is InclusionPolicy.ALWAYS:
            yield _required(reference, meter, Reason.ALWAYS, ("its inclusion policy is always", *_texts(found)))
        elif found:
            yield _relevant(reference, found, scores[file.id], scene, meter)
        else:
            yield _kept_out(file, Reason.NOT_RELEVANT, ())


def _rank(reference: Reference, score: float, scene: Scene) -> tuple[bool, bool, float, str, str, UUID]:
    """Of files with the same text, the first is sent."""
    file = reference.file
    pinned, always = file.id in scene.wish.include, file.inclusion is InclusionPolicy.ALWAYS
    return not pinned, not always, -score, file.kind, file.name, file.id


def _score(found: Collection[Evidence], emphasis: float) -> float:
    return round(min(1.0, combined_strength(found) * emphasis), 4)


def _relevant(reference: Reference, found: Collection[Evidence], score: float, scene: Scene, meter: TokenMeter) -> Candidate:
    file = reference.file
    others = scene.requested.keys() - {file.id} - scene.narrators.keys()  # whoever tells the chapter is named all over the sheets
    reduced = excerpt(reference.text, matters=lambda paragraph: not others.isdisjoint(scene.named_in(paragraph)))
    texts = [(_rendered(file, reduced, note=" (excerpt)"), False)] if reduced else []
    variants = variants_of([*texts, (_rendered(file, reference.text), True)], score=score, meter=meter)
    return Candidate(
        section=THIS_CHAPTER[file.kind],
        place=_place(file),
        label=_title(file),
        source=_source(file),
        reason=next(iter(found)).reason,
        evidence=_texts(found),
        score=score,
        variants=variants,
        tokens_in_full=variants[-1].tokens,
    )


def _required(reference: Reference, meter: TokenMeter, reason: Reason, why: tuple[str, ...]) -> Candidate:
    file = reference.file
    sections = WHOLE_BOOK if file.inclusion is InclusionPolicy.ALWAYS else THIS_CHAPTER
    text = _rendered(file, reference.text)
    tokens = meter.count(text)
    return Candidate(
        section=sections[file.kind],
        place=_place(file),
        label=_title(file),
        source=_source(file),
        reason=reason,
        evidence=why,
        required=True,
        variants=(Variant(text=text, tokens=tokens, worth=0.0),),
        tokens_in_full=tokens,
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


def _texts(found: Collection[Evidence]) -> tuple[str, ...]:
    return tuple(evidence.text for evidence in found)
