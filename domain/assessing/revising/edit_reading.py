"""Reading a model's answer: forgiving in its form, strict in what may become text of the book."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar
from unicodedata import combining

from domain.assessing.quotes import Place, QuotedText
from domain.assessing.revising.answer_format import Entry, entries
from domain.assessing.revising.answers import BrokenEdits, Edits, LeftOut
from domain.assessing.revising.edit_texts import Unfit, fitting, most_characters
from domain.assessing.revising.messages import LONGEST_INSERTION, RevisionCall
from domain.assessing.revising.passages import Passages
from domain.assessing.revising.plan import Edit, PlannedEdit, PlannedInsertion, RevisionPlan
from domain.prompting.untrusted import clean
from domain.writing.words import count_words

_WORDS = 4  # fewer may well be said twice
_NAME = re.compile(r"[EI]\d{1,6}", re.ASCII)
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"
_Planned = TypeVar("_Planned", PlannedEdit, PlannedInsertion)


def read_edits(plan: RevisionPlan, call: RevisionCall, answer: str) -> Edits | BrokenEdits:
    """The edits of `answer`, the model's text for `call`, as far as they can be used. Never raises. CPU-bound: some 10 ms.

    Each edit is checked by itself: it is known and answered once, its place is there, its text can stand there and changes something.
    What fails is left out with its reason, and so is what was asked for and not answered.
    """
    lists = entries(answer)
    if lists is None:
        return BrokenEdits(reason="It is not a JSON object with the lists that were asked for.")
    reading = _AnswerReading(plan, call)
    for entry in lists["edits"]:
        reading.take_edit(entry)
    for entry in lists["insertions"]:
        reading.take_insertion(entry)
    if call.asked.most_proposals:
        for entry in lists["proposals"]:
            reading.take_proposal(entry)
    left_out = (*reading.left_out, *reading.unanswered())
    if reading.edits:
        return Edits(edits=tuple(sorted(reading.edits, key=lambda edit: (edit.start, edit.end))), left_out=left_out)
    return BrokenEdits(reason=_reason(left_out), left_out=left_out)


def _reason(left_out: tuple[LeftOut, ...]) -> str:
    if not left_out:
        return "It holds no change."
    return " ".join(dict.fromkeys(f"{each.name or 'An entry'}: {each.reason}" for each in left_out[:6]))


class _AnswerReading:
    def __init__(self, plan: RevisionPlan, call: RevisionCall) -> None:
        self.edits: list[Edit] = []
        self.left_out: list[LeftOut] = []
        self._plan = plan
        self._call = call
        self._passages = Passages(plan.text, language=plan.language)
        self._quoted: QuotedText | None = None
        self._edits = {edit.name: edit for edit in call.asked.edits}
        self._insertions = {insertion.name: insertion for insertion in call.asked.insertions}
        self._answered: set[str] = set()

    def take_edit(self, entry: Entry) -> None:
        planned = self._asked(entry, "E", self._edits)
        if planned is not None:
            try:
                self.edits.append(self._edit(planned, entry))
            except Unfit as unfit:
                self.left_out.append(LeftOut(planned.name, str(unfit)))

    def take_insertion(self, entry: Entry) -> None:
        planned = self._asked(entry, "I", self._insertions)
        if planned is not None:
            try:
                self.edits.append(self._insertion(planned, entry))
            except Unfit as unfit:
                self.left_out.append(LeftOut(planned.name, str(unfit)))

    def take_proposal(self, entry: Entry) -> None:
        try:
            self.edits.append(self._proposal(entry))
        except Unfit as unfit:
            self.left_out.append(LeftOut("", str(unfit)))

    def unanswered(self) -> list[LeftOut]:
        return [LeftOut(name, "It was not answered.") for name in (*self._edits, *self._insertions) if name not in self._answered]

    def _asked(self, entry: Entry, kind: str, known: Mapping[str, _Planned]) -> _Planned | None:
        """What the entry answers, if it was asked for and not answered before."""
        name = _name(entry.get("edit"), kind)
        if name not in known:
            self.left_out.append(LeftOut(name, "It was not asked for."))
            return None
        if name in self._answered:
            self.left_out.append(LeftOut(name, "It was answered twice."))
            return None
        self._answered.add(name)
        return known[name]

    def _edit(self, planned: PlannedEdit, entry: Entry) -> Edit:
        original = self._plan.text[planned.start : planned.end]
        replacement = self._fitting(entry.get("replacement"), Place(planned.start, planned.end), longest=most_characters(original))
        if not replacement and not planned.may_delete:
            raise Unfit("The passage may not be cut.")
        return Edit(start=planned.start, end=planned.end, replacement=replacement, finding_ids=planned.finding_ids)

    def _proposal(self, entry: Entry) -> Edit:
        if len(self.edits) >= self._call.asked.most_proposals:
            raise Unfit("There are more changes than may be proposed.")
        place = self._place(entry, "quote")
        if any(place.start < edit.end and edit.start < place.end for edit in self.edits):
            raise Unfit("It overlaps another change.")
        if _within_character(self._plan.text, place.start) or _within_character(self._plan.text, place.end):
            raise Unfit("Its quote begins or ends within a character.")
        original = self._plan.text[place.start : place.end]
        longest = max(most_characters(original), len(original) + LONGEST_INSERTION)
        replacement = self._fitting(entry.get("replacement"), place, longest=longest)
        if not replacement and place == Place(0, len(self._plan.text)):
            raise Unfit("The passage may not be cut.")
        return Edit(start=place.start, end=place.end, replacement=replacement)

    def _insertion(self, planned: PlannedInsertion, entry: Entry) -> Edit:
        anchor = self._place(entry, "after_quote").end - 1
        alone = entry.get("new_paragraph")
        sentence_end = self._passages.sentence_end(anchor)
        at_end = sentence_end >= self._passages.paragraph_end(anchor)
        if self._call.asked.outlined or not self._passages.in_sentence(anchor) or not isinstance(alone, bool):
            alone = self._call.asked.outlined or at_end
        given = entry.get("text")
        alone = alone or "\n\n" in clean(_string(given)).strip()
        at = self._insertion_place(anchor, alone=alone)
        text = self._fitting(given, Place(at, at), longest=LONGEST_INSERTION)
        if not text:
            raise Unfit("There is nothing to put in.")
        if count_words(text) >= _WORDS and self._found(text) is not None:
            raise Unfit("The chapter says this already, in the same words.")
        return Edit(start=at, end=at, replacement=self._joined_on(text, at, alone=alone), finding_ids=(planned.finding[0],))

    def _insertion_place(self, anchor: int, *, alone: bool) -> int:
        """Behind the sentence or paragraph, and behind any passage that is rewritten there."""
        while True:
            end = self._passages.paragraph_end(anchor) if alone else self._passages.sentence_end(anchor)
            around = next((edit for edit in self._plan.edits if edit.start < end < edit.end), None)
            if around is None:
                return end
            anchor = around.end - 1

    def _joined_on(self, text: str, at: int, *, alone: bool) -> str:
        if alone:
            return ("\r\n\r\n" if "\r\n" in self._plan.text else "\n\n") + text
        unspaced = self._plan.text[at - 1 : at] in "。！？」』”…" and not self._plan.text[at : at + 1].isspace()  # noqa: RUF001
        return text if unspaced else f" {text}"

    def _fitting(self, raw: object, place: Place, *, longest: int) -> str:
        text = fitting(raw, self._passages, (place.start, place.end), self._call.fence, longest=longest)
        if text == self._plan.text[place.start : place.end] and place.start < place.end:
            raise Unfit("It changes nothing.")
        return text

    def _place(self, entry: Entry, field: str) -> Place:
        place = self._found(_string(entry.get(field)), before=_string(entry.get("before")), after=_string(entry.get("after")))
        if place is None:
            raise Unfit("Its quote is not in the chapter, word for word.")
        return place

    def _found(self, quote: str, **context: str) -> Place | None:
        """Of a call for proposals, in the part that it shows."""
        offset, end = (self._call.asked.shown[0].start, self._call.asked.shown[0].end) if self._call.asked.most_proposals else (0, None)
        if self._quoted is None:
            self._quoted = QuotedText(self._plan.text[offset:end])
        place = self._quoted.find(quote, **context)
        return Place(place.start + offset, place.end + offset) if place else None


def _within_character(text: str, at: int) -> bool:
    """Whether what a reader sees as one character is made of code points on both sides of `at`."""
    return 0 < at < len(text) and (combining(text[at]) != 0 or text[at] in _JOINERS or text[at - 1] == "\u200d")


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _name(value: Any, kind: str) -> str:
    """E1, also where the model says "e1.", "1" or 1; "" for what is no name."""
    name = str(value).strip(" .:[]()\"'").upper() if isinstance(value, str | int) else ""
    name = f"{kind}{name}" if name.isdigit() else name
    return name if _NAME.fullmatch(name) else ""
