"""The prompt optimizer: what a prompt costs of a processor, warm, cold and after a save, and what its memory holds."""

from collections.abc import Sequence
from pathlib import Path

from bench.prompts.books import NOVEL, SERIES, read, tokens_of, written
from bench.prompts.measures import CAPACITY_BYTES, MODEL, Times, bytes_of_memory, indexing, measured, opened_one_after_the_other
from bench.prompts.prose import Prose
from bench.report import HEADING, row
from domain.llm.tokens import TokenCounter

NOVEL_SECONDS, NOVEL_SECONDS_95 = 0.025, 0.06
SERIES_SECONDS = 0.12
SERIES_TOKENS = 700_000
"""From so many on, a book is held against the limit of a series."""

INDEX_SECONDS = 0.1
INDEXED_WORDS = 5_000
PROJECTS = 20


async def prompts(folders: Sequence[Path] = ()) -> None:
    """Of two written books, or of the largest project in each of the folders of a context benchmark's cases."""
    tokens = TokenCounter()
    tokens.count("The encoding is loaded before the clock runs.", model=MODEL)
    books = [read(folder) for folder in folders] or [written(NOVEL), written(SERIES)]
    for book in books:
        length = tokens_of(book, lambda text: tokens.count(text, model=MODEL))
        print(f"\nPrompts of {book.name}: {length:,} tokens, {len(book.material.earlier)} chapters, {len(book.material.references)} files")
        _print(measured(book, tokens), is_series=length >= SERIES_TOKENS)
        said, traced = bytes_of_memory(book, tokens)
        print(f"  memory of the project: {said / 1e6:.1f} MB by its own count, {traced / 1e6:.1f} MB by tracemalloc ({said / traced:.0%})")
    _index()
    sizes = opened_one_after_the_other(books[0], tokens, projects=PROJECTS)
    verdict = "met" if max(sizes) <= CAPACITY_BYTES else "MISSED"
    print(
        f"  {PROJECTS} projects opened one after the other: at most {max(sizes) / 1e6:.0f} MB   limit {CAPACITY_BYTES / 1e6:.0f}: {verdict}"
    )


def _print(times: Times, *, is_series: bool) -> None:
    limit, limit_95 = (SERIES_SECONDS, None) if is_series else (NOVEL_SECONDS, NOVEL_SECONDS_95)
    print(HEADING.replace("milliseconds", "milliseconds of CPU"))
    print(row("all texts, unpacked", times.loading))
    print(row("the first prompt", times.cold))
    print(row("a prompt after a chapter was saved", times.saved))
    print(row("a prompt", times.warm, limit=limit, limit_95=limit_95))
    print(row("peer: plain BM25 over the same passages", times.peer))
    print(f"  digest of these prompts: {times.digest[:16]}")


def _index() -> None:
    prose = Prose(seed=3)
    alone, saved = indexing(prose.text(INDEXED_WORDS, topic=prose.topic(), names=prose.names(12)), rounds=20)
    print(f"\nIndexing a chapter of {INDEXED_WORDS:,} words, and twenty projects")
    print(HEADING.replace("milliseconds", "milliseconds of CPU"))
    print(row("its index", alone, limit=INDEX_SECONDS))
    print(row("what is saved: the text with its index, packed", saved, limit=INDEX_SECONDS))
