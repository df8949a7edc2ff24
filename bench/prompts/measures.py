"""What is measured of one book: CPU time of the product's own functions, in the process that runs them."""

import hashlib
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID, uuid5

from bench.prompts.books import Book
from bench.prompts.peer import PlainSearch
from domain.llm.tokens import TokenCounter
from domain.prompting.index.saved_text import NewText, StoredText
from domain.prompting.index.text_index import index_text, indexed
from domain.prompting.material import PromptMaterial, PromptWish
from domain.prompting.memory import ProjectMemory, PromptMemory, TextKey
from domain.prompting.optimizer import build_prompt
from domain.prompting.receipts import Prompt

Result = TypeVar("Result")

MODEL = "gpt-4o"
BUDGET = 8_000
SAVES = 10
CAPACITY_BYTES = 256_000_000
"""The default of SCRIPTORIUM_PROMPT_MEMORY_MB."""

_NAMESPACE = UUID("9d1e7a0e-5c3b-4b62-8f3a-0c9f7f1f4c11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds of CPU. `digest` is that of all the prompts together: the same as before a change if it changed none of them."""

    loading: Sequence[float]
    cold: Sequence[float]
    warm: Sequence[float]
    saved: Sequence[float]
    peer: Sequence[float]
    digest: str


def measured(book: Book, tokens: TokenCounter) -> Times:
    packed = _packed(book.material)
    memory = _memory(book.material)
    loading, material = _timed(lambda: _loaded(book.material, packed, memory))
    cold, first = _timed(lambda: _prompt(material, book.briefs[0], tokens))
    digests, warm = [first.receipt.digest], []
    for brief in book.briefs[1:]:
        seconds, prompt = _timed(lambda brief=brief: _prompt(material, brief, tokens))
        warm.append(seconds)
        digests.append(prompt.receipt.digest)
    saved = []
    for number in range(SAVES):
        changed = _rewritten(material, book.rewritten(number), number)
        seconds, prompt = _timed(lambda number=number, changed=changed: _prompt(changed, book.briefs[number % len(book.briefs)], tokens))
        saved.append(seconds)
        digests.append(prompt.receipt.digest)
    search = PlainSearch(material)
    peer = [_timed(lambda brief=brief: search.best(brief))[0] for brief in book.briefs]
    digest = hashlib.sha256("".join(digests).encode()).hexdigest()
    return Times(loading=[loading], cold=[cold], warm=warm, saved=saved, peer=peer, digest=digest)


def indexing(text: str, rounds: int) -> tuple[Sequence[float], Sequence[float]]:
    """Seconds of CPU: the index alone, and with all that is saved."""
    return [_timed(lambda: index_text(text))[0] for _ in range(rounds)], [_timed(lambda: NewText.of(text))[0] for _ in range(rounds)]


def bytes_of_memory(book: Book, tokens: TokenCounter) -> tuple[int, int]:
    """What a project's memory says that it takes up after some prompts, and what the interpreter says that there is more than before."""
    packed = {key: (stored.text.encode(), stored.index) for key, stored in _packed(book.material).items()}
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        memory = _memory(book.material)
        material = _loaded(book.material, {key: StoredText(text.decode(), index) for key, (text, index) in packed.items()}, memory)
        for brief in book.briefs[:3]:
            _prompt(material, brief, tokens)
        del material
        return memory.size, tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def opened_one_after_the_other(book: Book, tokens: TokenCounter, *, projects: int) -> Sequence[int]:
    """The bytes that the memory of all projects takes up, by its own count, after a prompt of each."""
    shared, sizes = PromptMemory(CAPACITY_BYTES), []
    for number in range(projects):
        memory = shared.of(uuid5(_NAMESPACE, str(number)))
        for text in (*book.material.references, *book.material.earlier):
            memory.keep(text.key, text.content)
        _prompt(replace(book.material, memory=memory), book.briefs[0], tokens)
        sizes.append(shared.size)
    return sizes


def _memory(material: PromptMaterial) -> ProjectMemory:
    return PromptMemory(CAPACITY_BYTES).of(material.project.id)


def _prompt(material: PromptMaterial, brief: str, tokens: TokenCounter) -> Prompt:
    return build_prompt(material, PromptWish(model=MODEL, token_budget=BUDGET, brief=brief), tokens=tokens)


def _packed(material: PromptMaterial) -> dict[TextKey, StoredText]:
    """Every text as it is stored, with its index."""
    texts = (*material.references, *material.earlier)
    return {text.key: StoredText(text.content.text, NewText.of(text.content.text).index) for text in texts}


def _loaded(material: PromptMaterial, packed: dict[TextKey, StoredText], memory: ProjectMemory) -> PromptMaterial:
    """The same material with texts that have been unpacked, and kept in this memory."""
    texts = {key: stored.indexed() for key, stored in packed.items()}
    for key, text in texts.items():
        memory.keep(key, text)
    return replace(
        material,
        references=tuple(replace(reference, content=texts[reference.key]) for reference in material.references),
        earlier=tuple(replace(earlier, content=texts[earlier.key]) for earlier in material.earlier),
        memory=memory,
    )


def _rewritten(material: PromptMaterial, text: str, number: int) -> PromptMaterial:
    """As it is after the last chapter was saved with another text, which memory has not seen in any prompt."""
    *others, last = material.earlier
    changed = (*others, replace(last, version_id=uuid5(last.version_id, str(number)), content=indexed(text)))
    material.memory.release_all_but({text.key for text in (*material.references, *changed)})
    material.memory.keep(changed[-1].key, changed[-1].content)
    return replace(material, earlier=changed)


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    began = time.process_time()
    result = work()
    return time.process_time() - began, result
