"""A chapter of the Salt Road to judge, and projects large enough to have more to show than there is room."""

import json
import random
from functools import cache

from domain.assessing.judging.concern import Concern
from domain.assessing.judging.plan import judgements
from domain.llm.tokens import TokenCounter
from domain.reference_files import InclusionPolicy, ReferenceKind
from tests.domain.prompting.book import MODEL, chapter, reference, salt_road, written

TOKENS = TokenCounter()
KINDS = list(ReferenceKind)
VOCABULARY = (
    *("the", "fog", "came", "in", "over", "bar", "and", "she", "counted", "bell", "for", "men", "who", "waited", "until", "tide", "turned"),
    *("lantern", "harbour", "ledger", "ink", "knife", "stone", "winter", "bread", "brother", "letter", "road", "salt", "hand", "window"),
    *("door", "night", "water", "boat", "silence", "voice"),
)

CHAPTER = "\n\n".join(  # noqa: FLY002  - a paragraph a line
    (
        "# The Bar",
        "Mara Venn counted the bell. “You’re *late*,” she said to Joren Hale, and did not look at him.",
        "He was not seasick. The water lay grey\u00ad and flat, and Tobias’s lamp burned where it had always burned.\r\nNobody spoke.",
        "* * *",
        "At dusk they crossed. She steered with her right hand, as she had all her life. “Count,” she said. He counted.",
        "“Nine,” he said. She shut the door. Then she opened it again, and shut the door. It was over.",
    )
)


@cache
def plan_of(text=CHAPTER, **changes):
    return judgements(text, salt_road(**changes), model=MODEL, tokens=TOKENS)


def call_for(concern, plan=None):
    return next(call for call in (plan or plan_of()).calls if call.concern is concern)


def label_of(call, text):
    """The label of the source that says this."""
    return next(source.label for source in call.sources if text in source.text)


def finding(**changes):
    return {
        "category": "PLOT",
        "severity": "MINOR",
        "quote": "Nobody spoke.",
        "before": "",
        "after": "",
        "conflict": None,
        "message": "Nothing comes of it.",
        "suggestion": "Let somebody speak.",
        "replacement": None,
    } | changes


def answer(*findings, **changes):
    return {"findings": list(findings), "rationale": "It holds.", "score": 64, "overall": 58} | changes


def written_answer(*findings, **changes):
    return json.dumps(answer(*findings, **changes))


def prose(chance, words):
    paragraphs, written_words = [], 0
    while written_words < words:
        sentences = []
        for _ in range(chance.randint(2, 5)):
            first, *rest = (chance.choice(VOCABULARY) for _ in range(chance.randint(5, 18)))
            sentences.append(" ".join((first.capitalize(), *rest)) + ".")
            written_words += 1 + len(rest)
        paragraphs.append(" ".join(sentences))
    return "\n\n".join(paragraphs)


@cache
def large_project():
    """A text of 4,000 words as chapter 21, in a project of 40 sheets of 700 words and 20 chapters of 2,500."""
    chance = random.Random(1)
    names = [begin + end for begin in ("Mar", "Tob", "Jor", "Ans", "Bel", "Cor", "Dun", "Els") for end in ("a", "in", "eth", "ick", "or")]
    references = tuple(
        reference(
            100 + number,
            name,
            f"{name} is somebody. {prose(chance, 700)}",
            kind=KINDS[number % len(KINDS)] if number % 3 == 0 else ReferenceKind.CHARACTER,
            inclusion=InclusionPolicy.ALWAYS if number in {5, 9} else InclusionPolicy.WHEN_RELEVANT,
        )
        for number, name in enumerate(names)
    )
    earlier = tuple(written(number, f"{prose(chance, 2_500)}\n\n{names[number]} met {names[number + 1]}.") for number in range(1, 21))
    text = "\n\n".join(
        paragraph + (f" {chance.choice(names[:12])} came." if chance.random() < 0.5 else "")
        for paragraph in prose(chance, 3_850).split("\n\n")
    )
    brief = "Mara takes Jorin out over the bar at dusk. Tobick’s lamp is not where it should be."
    return text, salt_road(
        chapter=chapter(21, title="The Bar", brief=brief, point_of_view_character="Mara"), references=references, earlier=earlier
    )


CONCERNS = tuple(Concern)
