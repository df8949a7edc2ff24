"""Damages that put something in: the dead, other eyes, a paragraph again, slop, filler, a contradiction."""

import re
from collections.abc import Sequence
from random import Random

from bench.assessor.damage import (
    COLOURS,
    INSERTIONS,
    Damaged,
    cast_of,
    filled,
    inserted,
    inserted_at,
    named_in,
    paragraphs_of,
    with_line,
)
from bench.assessor.originals import Original
from domain.assessing.quotes import Place


def dead_speaking(original: Original, random: Random) -> Damaged | None:
    """Somebody who is dead speaks or acts, in a paragraph of its own."""
    cast = cast_of(original)
    material = original.material
    if original.dead:
        person = random.choice([each for each in cast if each.file.id in original.dead])
    else:
        named = named_in(original)
        absent = [
            each
            for each in cast
            if each.file.id not in named and each.file.name[0].isupper() and not each.file.name.startswith(("A ", "The "))
        ]
        if not absent:
            return None
        person = random.choice(absent)
        line = random.choice(("Status: dead", "{He} died before this chapter begins.", "Deceased.", "{He} is dead."))
        person, material = with_line(material, person, filled(line, person))
    _reading, paragraphs = paragraphs_of(original)
    after = random.choice(paragraphs[len(paragraphs) // 5 : -2])
    sentence = filled(random.choice(INSERTIONS["dead"]), person)
    return inserted_at(original, "a dead character speaking", after.end, f"\n\n{sentence}", material=material)


def eye_colour(original: Original, random: Random) -> Damaged | None:
    """A sentence gives somebody other eyes than the sheet."""
    material, named = original.material, named_in(original)
    present = [each for each in cast_of(original) if len(named.get(each.file.id, ())) >= 2]
    known = [each for each in present if re.search(rf"\b({'|'.join(COLOURS)})(?: [a-z]+)? eyes|eyes: ", each.content.text.lower())]
    if not known:
        people = [each for each in present if each.file.name[0].isupper() and not each.file.name.startswith(("A ", "The "))]
        if not people:
            return None
        person = random.choice(people)
        line = random.choice(("Eyes: {colour}", "{He} has {colour} eyes.", "{His} eyes are {colour}."))
        person, material = with_line(material, person, filled(line, person, colour=random.choice(COLOURS)))
    else:
        person = random.choice(known)
    said = " ".join(sentence for sentence in re.split(r"(?<=[.;\n])", person.content.text.lower()) if "eyes" in sentence)
    other = random.choice([colour for colour in COLOURS if colour not in said])
    sentence = filled(random.choice(INSERTIONS["eyes"]), person, colour=other)
    _reading, paragraphs = paragraphs_of(original, told_words=20)
    after = random.choice(paragraphs[:-1])
    return inserted_at(original, "a changed eye colour", after.end, f"\n\n{sentence}", material=material)


def repeated_paragraph(original: Original, random: Random) -> Damaged | None:
    _reading, paragraphs = paragraphs_of(original)
    long = [number for number, each in enumerate(paragraphs[:-3]) if each.last_word - each.first_word >= 40]
    if not long:
        return None
    number = random.choice(long)
    copied = original.text[paragraphs[number].start : paragraphs[number].end]
    after = paragraphs[min(len(paragraphs) - 1, number + random.randint(1, 10))]
    return inserted_at(original, "a paragraph repeated", after.end, f"\n\n{copied}")


def slop(original: Original, random: Random) -> Damaged | None:
    """Twelve sentences, each at the end of another told paragraph."""
    return spread(original, "slop injected", INSERTIONS["slop"], random, told_words=20)


def filler(original: Original, random: Random) -> Damaged | None:
    """Two paragraphs that say nothing."""
    _, paragraphs = paragraphs_of(original)
    chosen = sorted(random.sample(range(1, len(paragraphs) - 1), 2))
    texts = random.sample(INSERTIONS["filler"], 2)
    return inserted(original, "filler", [(paragraphs[number].end, f"\n\n{text}") for number, text in zip(chosen, texts, strict=True)])


def spread(original: Original, kind: str, sentences: Sequence[str], random: Random, *, told_words: int) -> Damaged | None:
    _, paragraphs = paragraphs_of(original, told_words=told_words)
    ending = [each for each in paragraphs if original.text[each.end - 1] == "."]
    count = min(len(ending), len(sentences))
    if count < len(sentences) // 2:
        return None
    chosen = sorted(random.sample(ending, count), key=lambda each: each.start)
    texts = random.sample(list(sentences), count)
    return inserted(original, kind, [(each.end, f" {text}") for each, text in zip(chosen, texts, strict=True)])


def contradiction(original: Original, random: Random) -> Damaged | None:
    """Something else is said than a sheet or an earlier chapter has it. Without a known fact, a hair colour is made one."""
    if original.contradiction is not None:
        says, instead = original.contradiction
        at = original.text.index(says)
        text = original.text[:at] + instead + original.text[at + len(says) :]
        return Damaged(
            kind="a contradiction of an earlier fact",
            original=original,
            text=text,
            material=original.material,
            places=(Place(at, at + len(instead)),),
        )
    named = named_in(original)
    people = [each for each in cast_of(original) if len(named.get(each.file.id, ())) >= 2 and not each.file.name.startswith(("A ", "The "))]
    if not people:
        return None
    person, material = with_line(original.material, person := random.choice(people), filled("{His} hair is black.", person))
    _, paragraphs = paragraphs_of(original, told_words=20)
    sentence = filled("{name} passed a hand through {his} fair hair, and was silent for a while.", person)
    after = random.choice(paragraphs[:-1])
    return inserted_at(original, "a contradiction of an earlier fact", after.end, f"\n\n{sentence}", material=material)
