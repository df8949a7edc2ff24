"""A project as a benchmark describes it, turned into the material that the product builds prompts from.

A state is a JSON file: `{"project", "novel", "section", "items": [{"id", "kind", "title", "names", "section", "text", "tokens"}]}`, with
kinds `character`, `place`, `research` and `passage`. Sheets and notes become reference files, the passages of a section a chapter.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid5

from bench.volumes import a_chapter, a_file, a_project
from domain.prompting.index.passages import Span
from domain.prompting.index.text_index import IndexedText, cleaned, indexed
from domain.prompting.material import ChapterText, PromptMaterial, ReferenceText
from domain.prompting.memory import ProjectMemory, PromptMemory
from domain.reference_files import ReferenceFile, ReferenceKind

KINDS: Mapping[str, ReferenceKind] = MappingProxyType(
    {"character": ReferenceKind.CHARACTER, "place": ReferenceKind.WORLD, "research": ReferenceKind.RESEARCH}
)
_NAMESPACE = UUID("6f1c2a54-8a7c-4f0e-9d52-0c6a3f3c9b1e")
MEMORY_BYTES = 256_000_000
"""The default of SCRIPTORIUM_PROMPT_MEMORY_MB."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An item of the state, and where it stands in the text of the source that it has become a part of."""

    id: str
    text: str
    tokens: int
    start: int
    end: int

    @property
    def unchanged(self) -> bool:
        """Whether cleaning has left its characters where they were, so that spans of it can be told."""
        return self.end - self.start == len(self.text)

    def cost(self, start: int, end: int) -> int:
        """Of `[start, end)` of the source, as the benchmark counts: the share of the item's characters, rounded up."""
        if not self.unchanged or (start <= self.start and self.end <= end):
            return self.tokens
        covered = min(end, self.end) - max(start, self.start)
        return max(1, ceil(self.tokens * covered / max(1, len(self.text))))


@dataclass(frozen=True, slots=True)
class State:
    """`pieces`: the items that each source, by its id, consists of, in reading order."""

    material: PromptMaterial
    pieces: Mapping[UUID, Sequence[Piece]]

    def touched(self, source_id: UUID, spans: Iterable[Span]) -> list[tuple[Piece, Span]]:
        """The items that these parts of a source touch, each with the part of the source."""
        return [
            (piece, (max(start, piece.start), min(end, piece.end)))
            for start, end in spans
            for piece in self.pieces[source_id]
            if piece.start < end and start < piece.end
        ]

    def cost(self, source_id: UUID, spans: Iterable[Span]) -> int:
        return sum(piece.cost(*span) for piece, span in self.touched(source_id, spans))


class States:
    """Reads one state after the other. What two states share is indexed once, as the product does with what it has in memory."""

    def __init__(self) -> None:
        self._texts: dict[bytes, IndexedText] = {}
        self._memory = _memory()
        self._novel = ""

    def read(self, state: Mapping[str, Any]) -> State:
        if state["novel"] != self._novel:
            self._texts, self._memory, self._novel = {}, _memory(), state["novel"]
        project_id = uuid5(_NAMESPACE, state["novel"])
        pieces: dict[UUID, Sequence[Piece]] = {}
        references, earlier = [], []
        for item in state["items"]:
            if item["kind"] in KINDS:
                file = _file(project_id, item)
                content = self._indexed(item["text"])
                pieces[file.id] = [Piece(item["id"], item["text"], item["tokens"], 0, len(content.text))]
                references.append(ReferenceText(file=file, content=content))
        passages = [item for item in state["items"] if item["kind"] == "passage"]
        for section, members in groupby(passages, key=lambda item: item["section"]):
            items = list(members)
            chapter = a_chapter(project_id, section, title=items[0]["title"])
            version_id = uuid5(chapter.id, "version")
            text, pieces[version_id] = _joined(items)
            earlier.append(ChapterText(chapter=chapter, version_id=version_id, content=self._indexed(text)))
        material = PromptMaterial(
            project=a_project(project_id, "A novel"),
            chapter=a_chapter(project_id, state["section"]),
            references=tuple(references),
            earlier=tuple(earlier),
            memory=self._memory,
        )
        return State(material, pieces)

    def _indexed(self, text: str) -> IndexedText:
        digest = hashlib.sha256(text.encode()).digest()
        if digest not in self._texts:
            self._texts[digest] = indexed(text)
        return self._texts[digest]


def _memory() -> ProjectMemory:
    return PromptMemory(MEMORY_BYTES).of(_NAMESPACE)


def _joined(items: Sequence[Mapping[str, Any]]) -> tuple[str, Sequence[Piece]]:
    """The passages as one text, with a blank line between them."""
    pieces, texts, reached = [], [], 0
    for item in items:
        text = cleaned(item["text"])
        pieces.append(Piece(item["id"], item["text"], item["tokens"], reached, reached + len(text)))
        texts.append(text)
        reached += len(text) + 2
    return "\n\n".join(texts), pieces


def _file(project_id: UUID, item: Mapping[str, Any]) -> ReferenceFile:
    aliases = tuple(name for name in item["names"] if name != item["title"])
    file_id = uuid5(project_id, item["id"])
    return a_file(file_id, project_id, KINDS[item["kind"]], item["title"], item["text"], aliases=aliases, tokens=item["tokens"])
