"""What the judge is shown beside the text: sheets of those who appear, earlier passages that say the same things, and how the last
chapter ended. Each has a label, so that a finding can name it.

They are chosen as for a draft, with the text itself as the request: the same lanes, forms and shares.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from domain.ports import Tokens
from domain.prompting.candidates import Candidate, TokenMeter, Variant
from domain.prompting.chapter_candidates import heading
from domain.prompting.excerpts import ending
from domain.prompting.material import PromptMaterial, PromptWish, ReferenceText
from domain.prompting.optimizer import choose, project_candidates
from domain.prompting.receipts import Reason, Source, SourceKind
from domain.prompting.scene import Scene, prepare
from domain.prompting.sections import Section
from domain.reference_files import InclusionPolicy

ALWAYS_SHARE = 0.5
"""Of the room, for files that the author wants in every prompt; those that do not fit are weighed like all others."""

ENDING_TOKENS = 160
"""Of the previous chapter's last lines: enough to hear its voice, and to see where everybody stands."""

ENDING_SHARE = 0.25
SHARES_OF_ONE = (0.15, 0.3, 0.6, 1.0)
"""Of the room, for one source: a little of everybody who appears tells more than one sheet in full. Where that leaves room, they have more."""

WELL_USED = 0.75

_HEADING = "### "


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledSource:
    """`sent` is what the judge is shown, label included; `text` is all that the source says, in which its words are looked up."""

    label: str
    source: Source
    sent: str
    text: str


def sources_for(text: str, material: PromptMaterial, *, room: int, model: str, tokens: Tokens) -> tuple[LabelledSource, ...]:
    """What bears on this text, in at most `room` tokens, laid out in the order of a prompt; labels are S1, S2 and so on."""
    if room <= 0:
        return ()
    meter = TokenMeter(tokens, model, material.memory)
    material = replace(material, references=tuple(_within(material.references, int(ALWAYS_SHARE * room), meter)))
    scene = prepare(material, PromptWish(model=model, token_budget=room, instructions=text))
    found = [*project_candidates(scene, meter, recent_text_is_sent=False), *_ending(scene, meter, room)]
    sources: tuple[LabelledSource, ...] = ()
    for share in SHARES_OF_ONE:
        candidates = sorted((_shortened(one, int(share * room)) for one in found), key=lambda one: one.position)
        sources, used = _chosen(candidates, scene, meter, room)
        if used >= WELL_USED * room:
            break
    return sources


def _chosen(candidates: Sequence[Candidate], scene: Scene, meter: TokenMeter, room: int) -> tuple[tuple[LabelledSource, ...], int]:
    """What is sent of the candidates, and how many tokens that takes."""
    required = {index: one.variants[-1] for index, one in enumerate(candidates) if one.required}
    left = room - sum(variant.tokens for variant in required.values())
    while True:
        sent = required | dict(choose(candidates, room=max(0, left), profile=scene.profile))
        chosen = tuple(_labelled(((candidates[index], sent[index]) for index in sorted(sent)), scene.material))
        used = meter.count("".join(one.sent for one in chosen))
        if used <= room or left <= 0:
            return chosen, used
        left -= used - room  # the labels, and strange texts that join into other tokens than they were counted in


def _labelled(sent: Iterable[tuple[Candidate, Variant]], material: PromptMaterial) -> Iterator[LabelledSource]:
    texts = {one.file.id: one.content.text for one in material.references} | {one.version_id: one.content.text for one in material.earlier}
    labels = (f"S{number}" for number in count(1))
    for candidate, variant in sent:
        if source := candidate.source:
            label = next(labels)
            shown = f"{_HEADING}{label}: {variant.text.removeprefix(_HEADING)}"
            yield LabelledSource(label=label, source=source, sent=shown, text=texts[source.id])


def _within(references: Sequence[ReferenceText], room: int, meter: TokenMeter) -> Iterator[ReferenceText]:
    """The files, of which only so many tokens are still sent whatever the text: the shortest first."""
    always = [one for one in references if one.file.inclusion is InclusionPolicy.ALWAYS]
    lengths = {one.file.id: meter.estimate_once(one.content.text, one.key) for one in always}
    kept = set()
    for file_id in sorted(lengths, key=lambda file_id: (lengths[file_id], file_id)):
        room -= lengths[file_id]
        if room >= 0:
            kept.add(file_id)
    for one in references:
        weighed = one.file.inclusion is InclusionPolicy.ALWAYS and one.file.id not in kept
        yield replace(one, file=replace(one.file, inclusion=InclusionPolicy.WHEN_RELEVANT)) if weighed else one


def _ending(scene: Scene, meter: TokenMeter, room: int) -> Iterator[Candidate]:
    if not scene.told:
        return
    last = scene.told[-1].earlier
    shown = ending(last.content.text, tokens=min(ENDING_TOKENS, int(ENDING_SHARE * room)), meter=meter)
    if not shown:
        return
    text = f"{_HEADING}{heading(last)} (its end)\n\n{shown}\n\n"
    variant = Variant(text=text, tokens=meter.count(text), worth=0.0)
    yield Candidate(
        section=Section.PREVIOUS_END,
        place=(),
        label=heading(last),
        source=Source(SourceKind.CHAPTER_VERSION, last.version_id),
        reason=Reason.RECENT,
        required=True,
        variants=(variant,),
        tokens_in_full=variant.tokens,
    )


def _shortened(candidate: Candidate, most: int) -> Candidate:
    """In forms of at most so many tokens, unless it must be sent."""
    if candidate.required or not candidate.variants:
        return candidate
    return replace(candidate, variants=tuple(variant for variant in candidate.variants if variant.tokens <= most))
