"""Laying out what was chosen: messages, headings and fences around the texts."""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from domain.llm.model import Message, Role
from domain.prompting.candidates import Candidate
from domain.prompting.sections import Section
from domain.prompting.untrusted import Fence


def lay_out(chosen: Iterable[tuple[Candidate, str]], fence: Fence) -> tuple[Message, ...]:
    """The messages that carry these texts, in the order of their sections and of their places within them.

    Every text begins at a line's start and ends with line feeds, so that the tokens of the parts add up to those of the whole.
    """
    texts: dict[Role, list[str]] = {Role.SYSTEM: [], Role.USER: []}
    ordered = sorted(chosen, key=lambda pair: pair[0].position)
    for section, members in groupby(ordered, key=lambda pair: pair[0].section):
        before, after = frame(section, fence)
        texts[section.role] += [before, *map(itemgetter(1), members), after]
    return tuple(Message(role, "".join(parts).rstrip()) for role, parts in texts.items())


def frame(section: Section, fence: Fence) -> tuple[str, str]:
    """What stands before and after the texts of a section."""
    heading = f"## {section.heading}\n\n" if section.heading else ""
    return (f"{heading}{fence.opening}\n", f"{fence.closing}\n\n") if section.fenced else (heading, "")
