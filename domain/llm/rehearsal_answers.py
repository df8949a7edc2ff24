"""What the stand-in answers where JSON of a schema is asked for: true to the schema, labelled, and made of the prompt's own text.

The answer is built from the schema alone: objects with all their properties, lists of a few items, numbers and names within their bounds.
What a property is called decides what is in it, where that is known: a `quote` is a sentence of the text behind the fence, word for word,
its `replacement` the same with a label, a `better` is a tie. So whoever shows judgements or edits sees all of them without a model.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from domain.llm.model import Message

RATIONALE: Final = "Rehearsal: no model has read this."
MARK: Final = "[rehearsal"
"""Behind it comes a number, so that what is put in differs from what was put in before."""
USUAL_ITEMS = 2

_FENCED = re.compile(r"^<material (?P<marker>\w+)>\n(?P<text>.*?)\n?^</material (?P=marker)>", re.DOTALL | re.MULTILINE)
_CHAPTER_HEADING = re.compile(r"^## The (?:chapter|text to be judged)\b[^\n]*\n\s*\Z", re.MULTILINE)
_SOURCE = re.compile(r"^### (?P<label>S\d+): [^\n]*\n+(?P<text>(?:(?!^### ).*\n?)*)", re.MULTILINE)
_PASSAGE = re.compile(r"^(?P<label>E\d+)\. The passage:\n(?P<text>[^\n]+)", re.MULTILINE)
_MISSING = re.compile(r"^(?P<label>I\d+)\. Missing", re.MULTILINE)
_SENTENCE = re.compile(r"[^\s.!?…。！？#>|*_-][^\n.!?…。！？]{11,280}[.!?…。！？]+[\"'”’»)\]」』]*")  # noqa: RUF001  - full-width marks end sentences too
_LINE = re.compile(r"[^\n]*\w[^\n]*")
_CONTEXT_CHARACTERS = 40
_TIES = ("TIE", "MINOR", "MAJOR", "NOTE")
"""Preferred where a name is to be chosen: none of them makes anything of a text that nobody has read."""

_NEEDS_SOURCE = "CONTINUITY"


@dataclass(frozen=True, slots=True)
class _Quoted:
    """A passage and, where it has one, the name that the prompt gives it."""

    text: str
    label: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class RehearsedAnswer:
    """To these messages; `seed` decides what the prompt leaves open."""

    messages: Sequence[Message]
    seed: bytes
    definitions: Mapping[str, Any] = field(default_factory=dict)

    def write(self, schema: Mapping[str, Any]) -> str:
        """The answer as JSON."""
        whole = RehearsedAnswer(self.messages, self.seed, schema.get("$defs", {}))
        return json.dumps(whole.value(schema, "", 0, {}), ensure_ascii=False, indent=1)

    def value(self, schema: Mapping[str, Any], name: str, number: int, beside: Mapping[str, Any]) -> Any:
        """For the property of this name, in the item of this number; `beside` are the properties before it, and "" the item's passage."""
        schema = self._resolved(schema, name, beside)
        if choices := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
            return self._choice(choices, number)
        match _kind(schema, name, number):
            case "object":
                return self._object(schema, name, number, beside)
            case "array":
                return self._list(schema, name)
            case "integer" | "number":
                return self._number(schema, name)
            case "boolean" | "null" as kind:
                return False if kind == "boolean" else None
        return self._text(schema, name, beside)

    def _resolved(self, schema: Mapping[str, Any], name: str, beside: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self.definitions[schema["$ref"].rpartition("/")[2]]
        options = schema.get("anyOf") or schema.get("oneOf")
        if not options:
            return schema
        nothing = [each for each in options if each.get("type") == "null"]
        something = [each for each in options if each.get("type") != "null"]
        unwanted = name == "conflict" and beside.get("category") != _NEEDS_SOURCE
        return self._resolved((nothing if nothing and unwanted else something or nothing)[0], name, beside)

    def _object(self, schema: Mapping[str, Any], name: str, number: int, beside: Mapping[str, Any]) -> dict[str, Any]:
        passage = beside.get("")
        if name == "conflict" and self.sources:
            passage = self.sources[number % len(self.sources)]
        made: dict[str, Any] = {"": passage}
        for each, part in schema.get("properties", {}).items():
            made[each] = self.value(part, each, number, made)
        del made[""]
        return made

    def _list(self, schema: Mapping[str, Any], name: str) -> list[Any]:
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        items = schema.get("items", {"type": "string"})
        passages = self._passages_for(items.get("properties", {}))
        wanted = USUAL_ITEMS if passages is None else len(passages)
        length = max(least, wanted if most is None else min(most, wanted))
        filler = _Quoted("")
        return [
            self.value(items, name, number, {"": passages[number] if passages and number < len(passages) else filler})
            for number in range(length)
        ]

    def _passages_for(self, properties: Mapping[str, Any]) -> Sequence[_Quoted] | None:
        """What the items of a list are about, if they are about passages of the text."""
        named = bool(self.edits or self.insertions)
        if "after_quote" in properties:
            return [_Quoted(each.text, label.label) for each, label in zip(self.sentences, self.insertions, strict=False)]
        if "edit" in properties:
            return self.edits
        if "quote" in properties:
            return () if named else self.sentences[:USUAL_ITEMS]
        return None

    def _choice(self, values: Sequence[Any], number: int) -> Any:
        """What ties or is slight, else in turn what the last message names, in its order, else the first."""
        slight = [each for each in _TIES if each in values]
        if slight:
            return slight[number % len(slight)] if "MINOR" in slight else slight[0]
        last = self.messages[-1].text if self.messages else ""
        places = {each: found.start() for each in values if (found := re.search(rf"\b{re.escape(str(each))}\b", last))}
        named = [each for each in sorted(places, key=lambda each: places[each]) if each != _NEEDS_SOURCE or self.sources]
        return named[number % len(named)] if named else values[0]

    def _number(self, schema: Mapping[str, Any], name: str) -> int:
        """Somewhere in the middle, where most drafts lie."""
        least, most = schema.get("minimum", 0), schema.get("maximum", 100)
        middle = least + (most - least) * 55 // 100
        spread = max(1, (most - least) // 12)
        drawn = self.seed[sum(name.encode()) % len(self.seed)] if self.seed else 0
        return int(min(most, max(least, middle + drawn % spread)))

    def _text(self, schema: Mapping[str, Any], name: str, beside: Mapping[str, Any]) -> str:
        passage = beside.get("") or _Quoted("")
        texts = {
            "quote": passage.text,
            "after_quote": passage.text,
            "before": passage.before,
            "after": passage.after,
            "source": passage.label,
            "edit": passage.label,
            "replacement": f"{passage.text} {self.mark}",
            "text": self.mark,
        }
        text = texts.get(name, RATIONALE)
        text = text.ljust(schema.get("minLength", 0), ".")
        return text[: schema["maxLength"]] if "maxLength" in schema else text

    @cached_property
    def sentences(self) -> Sequence[_Quoted]:
        """Of the text that is asked about, verbatim, in an order that the seed decides."""
        text = self._chapter
        found = list(_SENTENCE.finditer(text)) or list(_LINE.finditer(text))
        if not found:
            return ()
        first, step = self.seed[0] % len(found), max(1, len(found) // 3)
        order = dict.fromkeys((first + number * step) % len(found) for number in range(3))
        return [
            _Quoted(
                found[index][0].strip(),
                before=text[max(0, found[index].start() - _CONTEXT_CHARACTERS) : found[index].start()].strip(),
                after=text[found[index].end() : found[index].end() + _CONTEXT_CHARACTERS].strip(),
            )
            for index in order
        ]

    @cached_property
    def mark(self) -> str:
        return f"{MARK} {1 + self._chapter.count(MARK)}]"

    @cached_property
    def sources(self) -> Sequence[_Quoted]:
        """A sentence of each labelled source."""
        told = ((each["label"], _SENTENCE.search(each["text"])) for text in self._fenced for each in _SOURCE.finditer(text))
        return [_Quoted(sentence[0], label) for label, sentence in told if sentence]

    @cached_property
    def edits(self) -> Sequence[_Quoted]:
        return [_Quoted(each["text"], each["label"]) for text in self._fenced for each in _PASSAGE.finditer(text)]

    @cached_property
    def insertions(self) -> Sequence[_Quoted]:
        return [_Quoted("", each["label"]) for text in self._fenced for each in _MISSING.finditer(text)]

    @cached_property
    def _fenced(self) -> Sequence[str]:
        return [each["text"] for message in self.messages for each in _FENCED.finditer(message.text)]

    @cached_property
    def _chapter(self) -> str:
        """What stands below a heading that says so, else what is fenced last, else the last message."""
        for message in self.messages:
            for each in _FENCED.finditer(message.text):
                if _CHAPTER_HEADING.search(message.text[: each.start()]):
                    return each["text"]
        return self._fenced[-1] if self._fenced else self.messages[-1].text if self.messages else ""


def _kind(schema: Mapping[str, Any], name: str, number: int) -> str:
    """Of several types the first that says something; only the first item of a list has a replacement where it may have none."""
    kind = schema.get("type", "string")
    kinds = [kind] if isinstance(kind, str) else list(kind)
    if "null" in kinds and name == "replacement" and number > 0:
        return "null"
    return next((each for each in kinds if each != "null"), "null")
