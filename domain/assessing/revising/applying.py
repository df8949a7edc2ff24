"""Putting edits into a text."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from uuid import UUID

from domain.assessing.quotes import Place
from domain.assessing.revising.plan import Edit

_CLOSING = frozenset(".,;:!?…)”’»")  # noqa: RUF001  - a typographic apostrophe


@dataclass(frozen=True, slots=True)
class Change:
    """`old` is a span of the text before, `new` of the text after; what is between the spans is the same in both."""

    old: Place
    new: Place
    finding_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Revised:
    """`changes` are in the order of the text."""

    text: str
    changes: tuple[Change, ...]


def apply_edits(text: str, edits: Iterable[Edit]) -> Revised:
    """The text with these edits, in whatever order they come. Raises ValueError for spans that overlap or lie outside.

    A deletion takes with it the white space that would be left double, and nothing else is touched. Insertions at one place come in
    the order given.
    """
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    parts: list[str] = []
    changes: list[Change] = []
    at = length = 0
    blank_so_far = True
    for edit, following in zip_longest(ordered, ordered[1:]):
        if not at <= edit.start <= edit.end <= len(text):
            raise ValueError(f"The edit of {edit.start} to {edit.end} overlaps another one or lies outside of the text.")
        old = Place(edit.start, edit.end)
        if not edit.replacement:
            old = _closed_up(text, old, _room(text, at, following, blank_before=blank_so_far))
        kept = text[at : old.start]
        start = length + len(kept)
        parts += [kept, edit.replacement]
        blank_so_far = blank_so_far and not (kept + edit.replacement).strip()
        changes.append(Change(old, Place(start, start + len(edit.replacement)), edit.finding_ids))
        at, length = old.end, start + len(edit.replacement)
    return Revised("".join((*parts, text[at:])), tuple(changes))


@dataclass(frozen=True, slots=True)
class _Room:
    """What lies between the edits before and behind. `blank_before`: the new text holds nothing but white space up to here;
    `blank_behind`: the next edit begins with white space.
    """

    start: int
    end: int
    blank_before: bool
    blank_behind: bool


def _room(text: str, start: int, following: Edit | None, *, blank_before: bool) -> _Room:
    if following is None:
        return _Room(start, len(text), blank_before, blank_behind=False)
    return _Room(start, following.start, blank_before, blank_behind=following.replacement[:1].isspace())


def _closed_up(text: str, place: Place, room: _Room) -> Place:
    """The place with the smaller of the gaps beside it: between sentences one blank stays, between paragraphs one break."""
    lead, trail = text[room.start : place.start], text[place.end : room.end]
    lead_gap, trail_gap = lead[len(lead.rstrip()) :], trail[: len(trail) - len(trail.lstrip())]
    first = room.blank_before and lead_gap == lead
    last = place.end + len(trail_gap) == len(text)
    if trail_gap and not last and (first or (lead_gap and trail_gap.count("\n") < lead_gap.count("\n"))):
        return Place(place.start, place.end + len(trail_gap))
    closes = (
        trail_gap
        or last
        or (room.blank_behind and place.end == room.end)
        or (text[place.end : place.end + 1] in _CLOSING and "\n" not in lead_gap)
    )
    if closes and not first:
        return Place(place.start - len(lead_gap), place.end)
    return place
