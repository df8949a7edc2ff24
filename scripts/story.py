"""Tells the story of README.md to a running server, and says where the answers are no longer those that are printed there.

    .venv/bin/python scripts/story.py --token "$(.venv/bin/scriptorium token --user ada)" [--url http://127.0.0.1:8000] [--write]

A scene is a GraphQL block with the JSON that answers it right below. Answers may be shortened by hand: `…` ends a text that goes on
and stands for any number of items, or of a subscription's events; where a stream's last line is `…`, the story leaves the socket.
Ids differ from run to run: a printed one stands for what this run got in its place, there and wherever it is printed again.
With --write, answers that have changed are printed anew.
"""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands.demo.client import Client

README = Path(__file__).parents[1] / "README.md"
SCENE = re.compile(r"^```graphql\n(?P<document>.*?)^```\n\s*^```json\n(?P<answer>.*?)^```$", re.DOTALL | re.MULTILINE)
WIDTH = 120
LONGEST_TEXT = 200
LONGEST_STREAM = 12
SCENE_SECONDS = 30

ELLIPSIS = "…"
NAMES = frozenset({"id", "cursor", "digest"})
COUNTS = frozenset({"sequence", "offset", "tokens", "tokensUsed", "promptTokens", "wordCount", "value", "score", "scoreLow", "scoreHigh"})
"""The number of events depends on how the text happens to arrive; every book's prompts hold a mark of its own, and the rehearsal goes by it,
and so does what is made of its text."""

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Scene:
    """`printed` holds one answer, or a subscription's events; `span` is where they stand in the README."""

    document: str
    printed: Sequence[Any]
    span: tuple[int, int]

    @property
    def is_subscription(self) -> bool:
        return self.document.startswith("subscription")

    @property
    def is_left_early(self) -> bool:
        return self.is_subscription and self.printed[-1] == ELLIPSIS


@dataclass(frozen=True, slots=True)
class Told:
    """What the server answered, with the printed names for what has one."""

    scene: Scene
    answer: Sequence[Any]
    is_as_printed: bool


def read_scenes(readme: str) -> list[Scene]:
    return [Scene(found["document"], list(_values(found["answer"])), found.span("answer")) for found in SCENE.finditer(readme)]


async def tell(client: Client, scenes: Sequence[Scene]) -> AsyncIterator[Told]:
    """Raises commands.demo.client.ApiError for an answer with errors of the request."""
    names: Names = {}
    for scene in scenes:
        async with asyncio.timeout(SCENE_SECONDS):
            answer = await _answer(client, scene, names)
        agreed = _agree(scene.printed, answer, names)
        names = agreed if agreed is not None else {**names, **dict(_names(scene.printed, answer))}
        yield Told(scene, _renamed(answer, {real: printed for printed, real in names.items()}), agreed is not None)


async def _answer(client: Client, scene: Scene, names: Names) -> list[Any]:
    document = re.sub(r'(?<=")\w+(?=")', lambda quoted: names.get(quoted[0], quoted[0]), scene.document)
    if not scene.is_subscription:
        return [{"data": await client.ask(document)}]
    events: list[Any] = []
    async with client.follow(document) as stream:
        async for data in stream:
            events += data.values()
            if scene.is_left_early and _agree(scene.printed, events, names) is not None:
                break
    return events


def _agree(printed: Any, real: Any, names: Names, key: str = "") -> Names | None:
    """The names with what is learned from this answer; None if it is not the printed one."""
    match printed:
        case dict():
            return _agree_by_key(printed, real, names) if isinstance(real, dict) else None
        case list():
            return _agree_in_order(printed, real, names) if isinstance(real, list) else None
        case str() if key in NAMES:
            is_new = printed not in names and real not in names.values()
            return {**names, printed: real} if is_new or names.get(printed) == real else None
        case int() | float() if key in COUNTS:
            return names if isinstance(real, int | float) else None
        case str() if printed.endswith(ELLIPSIS):
            return names if isinstance(real, str) and real.startswith(printed.removesuffix(ELLIPSIS)) else None
        case _:
            return names if printed == real else None


def _agree_by_key(printed: Mapping[str, Any], real: Mapping[str, Any], names: Names) -> Names | None:
    if printed.keys() != real.keys():
        return None
    agreed: Names | None = names
    for key, value in printed.items():
        agreed = None if agreed is None else _agree(value, real[key], agreed, key)
    return agreed


def _agree_in_order(printed: Sequence[Any], real: Sequence[Any], names: Names) -> Names | None:
    if not printed:
        return None if real else names
    if printed[0] == ELLIPSIS:
        tries = (_agree_in_order(printed[1:], real[skipped:], names) for skipped in range(len(real) + 1))
        return next((agreed for agreed in tries if agreed is not None), None)
    agreed = _agree(printed[0], real[0], names) if real else None
    return None if agreed is None else _agree_in_order(printed[1:], real[1:], agreed)


def _names(printed: Any, real: Any) -> Iterator[tuple[str, str]]:
    """As many names as can be found where the rest differs."""
    match printed, real:
        case dict(), dict():
            for key in printed.keys() & real.keys():
                if key in NAMES:
                    yield printed[key], real[key]
                else:
                    yield from _names(printed[key], real[key])
        case list(), list():
            for pair in zip(printed, real, strict=False):
                yield from _names(*pair)


def _renamed(value: Any, names: Names) -> Any:
    match value:
        case dict():
            return {key: _renamed(part, names) for key, part in value.items()}
        case list():
            return [_renamed(part, names) for part in value]
        case str():
            return names.get(value, value)
        case _:
            return value


def _values(text: str) -> Iterator[Any]:
    """JSON values one after the other, and ellipses."""
    decoder = json.JSONDecoder()
    while text := text.strip():
        if text.startswith(ELLIPSIS):
            value, end = ELLIPSIS, len(ELLIPSIS)
        else:
            value, end = decoder.raw_decode(text)
        yield value
        text = text[end:]


def _shown(told: Told) -> str:
    values = _shortened(list(told.answer))
    if told.scene.is_subscription:
        lines = [json.dumps(event, ensure_ascii=False) for event in values]
        return "\n".join(lines if len(lines) <= LONGEST_STREAM else [*lines[: LONGEST_STREAM - 2], ELLIPSIS, lines[-1]])
    return "\n".join(_laid_out(value) for value in values)


def _laid_out(value: Any, indent: str = "") -> str:
    """On one line what fits on it."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(indent) + len(line) <= WIDTH:
        return line
    deeper = indent + "  "
    if isinstance(value, list):
        return "[\n" + ",\n".join(deeper + _laid_out(item, deeper) for item in value) + f"\n{indent}]"
    return "{\n" + ",\n".join(f"{deeper}{json.dumps(key)}: {_laid_out(item, deeper)}" for key, item in value.items()) + f"\n{indent}}}"


def _shortened(value: Any) -> Any:
    match value:
        case dict():
            return {key: _shortened(part) for key, part in value.items()}
        case list():
            return [_shortened(part) for part in value]
        case str() if len(value) > LONGEST_TEXT:
            return value[:LONGEST_TEXT] + ELLIPSIS
        case _:
            return value


async def _check(client: Client, *, write: bool) -> bool:
    readme = README.read_text(encoding="utf-8")
    told = [each async for each in tell(client, read_scenes(readme))]
    for each in reversed(told):
        if not each.is_as_printed:
            start, end = each.scene.span
            readme = f"{readme[:start]}{_shown(each)}\n{readme[end:]}"
    for each in told:
        verdict = "as printed" if each.is_as_printed else "printed anew" if write else f"not as printed:\n{_shown(each)}"
        print(f"{each.scene.document.splitlines()[0]:.70}  # {verdict}")
    if write:
        README.write_text(readme, encoding="utf-8")
    return write or all(each.is_as_printed for each in told)


async def _run(options: argparse.Namespace) -> bool:
    client = Client(options.url, options.token)
    try:
        return await _check(client, write=options.write)
    finally:
        await client.aclose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Tell the story of README.md to a running server.")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where it is (http://127.0.0.1:8000)")
    parser.add_argument("--token", required=True, help="whose story it is: `scriptorium token --user ada` prints one")
    parser.add_argument("--write", action="store_true", help="print changed answers anew")
    sys.exit(not asyncio.run(_run(parser.parse_args())))
