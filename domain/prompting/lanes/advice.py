"""Files that are no sheets: style guides and outlines bear on every chapter, research and notes on those that are about the same."""

from collections.abc import Iterator, Sequence
from math import prod
from types import MappingProxyType

from domain.prompting.lanes.evidence import WORDS_QUOTED, Evidence, quoted, shared_words
from domain.prompting.lanes.features import SHEETS
from domain.prompting.material import ReferenceText
from domain.prompting.receipts import Reason
from domain.prompting.scene import Scene
from domain.prompting.search import Search, Text
from domain.reference_files import ReferenceKind

_STANDING = MappingProxyType(
    {
        ReferenceKind.STYLE: (0.7, Evidence(Reason.RELEVANT, "a style guide bears on every chapter")),
        ReferenceKind.OUTLINE: (0.6, Evidence(Reason.RELEVANT, "an outline bears on every chapter")),
    }
)

IN_REQUEST = 0.9
SHARES_WORDS = 0.6
"""How strongly it speaks for a file that one of its passages holds all that the request is about; less of it by its square."""

LEAST_SHARE = 0.2
"""Of the request's weight in a single passage: less is shared by chance."""


def advised(scene: Scene) -> Iterator[tuple[ReferenceText, float, list[Evidence], dict[int, float]]]:
    """Each file with its score (0..1), what speaks for it, and the scores of its passages."""
    notes = [reference for reference in scene.references if reference.file.kind not in SHEETS]
    search = Search(scene.search.request, [Text(reference.content) for reference in notes])
    for number, reference in enumerate(notes):
        witnesses: list[tuple[float, Evidence]] = []
        if standing := _STANDING.get(reference.file.kind):
            witnesses.append(standing)
        if requested := scene.requested.get(reference.file.id):
            witnesses.append((IN_REQUEST, Evidence(Reason.MENTIONED, requested.evidence)))
        passages = dict(search.passages_of(number))
        share = max(passages.values(), default=0.0) / (search.mass or 1.0)
        if share >= LEAST_SHARE and (words := shared_words(reference.content, _weightiest(search, reference))):
            witnesses.append(
                (SHARES_WORDS * share * share, Evidence(Reason.RELEVANT, f"{', '.join(words)} in {quoted(reference.file.name)}"))
            )
        if witnesses:
            witnesses.sort(key=lambda witness: -witness[0])
            score = 1.0 - prod(1.0 - strength for strength, _ in witnesses)  # the chance that one of independent witnesses is right
            yield reference, score, [one for _, one in witnesses], passages


def _weightiest(search: Search, reference: ReferenceText) -> Sequence[str]:
    held = sorted(search.weights.keys() & reference.content.index.postings.keys(), key=lambda term: (-search.weights[term], term))
    return held[:WORDS_QUOTED]
