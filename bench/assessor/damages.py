"""The twelve ways in which a chapter is damaged. Each takes an original and chance, and says where the damage is.

A damage that a chapter has no place for (no told paragraph long enough, nobody dead) is not made.
"""

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from types import MappingProxyType

from bench.assessor.damage import Damage, Damaged, paragraphs_of
from bench.assessor.insertions import contradiction, dead_speaking, eye_colour, filler, repeated_paragraph, slop
from bench.assessor.originals import Original
from bench.assessor.rewritings import inflated_tags, point_of_view_slip, swapped_name, tense_shift


def scene_cut(original: Original, random: Random) -> Damaged | None:
    """A quarter to nearly half of the chapter is gone, in one piece."""
    _, paragraphs = paragraphs_of(original)
    words = sum(each.last_word - each.first_word for each in paragraphs)
    share = random.uniform(0.25, 0.45)
    first = random.randrange(1, max(2, int(len(paragraphs) * (1 - share))))
    last, gone = first, 0
    while last < len(paragraphs) and gone < share * words:
        gone += paragraphs[last].last_word - paragraphs[last].first_word
        last += 1
    if gone < 0.25 * words:
        return None
    end = paragraphs[last].start if last < len(paragraphs) else len(original.text)
    text = (original.text[: paragraphs[first].start] + original.text[end:]).rstrip()
    return Damaged(kind="a scene cut", original=original, text=text, material=original.material)


def unmet_beat(original: Original, random: Random) -> Damaged | None:
    """The brief asks for one thing more, which the chapter does not have."""
    beat = original.absent_beat
    lines = original.material.chapter.brief.split("\n")
    lines.insert(random.randint(1, len(lines)), f"- {beat}")
    chapter = replace(original.material.chapter, brief="\n".join(lines))
    return Damaged(
        kind="an unmet brief beat", original=original, text=original.text, material=replace(original.material, chapter=chapter), beat=beat
    )


DAMAGES: Mapping[str, Damage] = MappingProxyType(
    {
        "swapped name": swapped_name,
        "a dead character speaking": dead_speaking,
        "a changed eye colour": eye_colour,
        "tense shift": tense_shift,
        "point-of-view slip": point_of_view_slip,
        "a paragraph repeated": repeated_paragraph,
        "slop injected": slop,
        "a scene cut": scene_cut,
        "dialogue tags inflated": inflated_tags,
        "a contradiction of an earlier fact": contradiction,
        "filler": filler,
        "an unmet brief beat": unmet_beat,
    }
)


def damaged(original: Original, *, versions: int = 1) -> list[Damaged]:
    """All kinds of which the chapter has a place, the same every time."""
    made = []
    for kind, damage in DAMAGES.items():
        for version in range(versions):
            found = damage(original, Random(f"{original.name} {kind} {version}"))
            if found is not None:
                made.append(found)
    return made
