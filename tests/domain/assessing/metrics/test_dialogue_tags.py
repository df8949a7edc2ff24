"""Tags are told from beats, plain ones from those that show off."""

import pytest

from domain.assessing.metrics.dialogue_tags import tags_of
from domain.assessing.metrics.reading import Reading
from tests.domain.assessing.metrics.texts import quotes, taken


def tag_in(text):
    """The words of the only tag, whether it has an adverb and whether it is bookish; None without one."""
    found = [(text[tag.place.start : tag.place.end], tag.adverb is not None, tag.bookish) for tag in tags_of(Reading(text, language="en"))]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("“Go,” he said.", ("he said", False, False)),
        ("“Go,” he said softly.", ("he said softly", True, False)),
        ("‘Go’, said Mary coldly.", ("said Mary coldly", True, False)),
        ('"Go!" the old man shouted.', ("the old man shouted", False, False)),
        ("“Go?” she opined.", ("she opined", False, True)),
        ("“Go,” Mary breathed.", ("Mary breathed", False, True)),
        ("“Go,” I quietly replied, “or stay.”", ("I quietly replied", True, False)),
        ("She said softly, “Go.”", ("She said softly", True, False)),
        ("He growled: “Go.”", ("He growled", False, True)),
        ("“Go,” said Lily.", ("said Lily", False, False)),
        ("“Go,” he said, slowly turning.", ("he said", False, False)),
    ],
)
def test_a_tag_is_found_beside_speech(text, tag):
    assert tag_in(text) == tag


@pytest.mark.parametrize(
    "text",
    [
        "“Go.” She said nothing more.",
        "“Go!” He laughed and left.",
        "“Go,” and the door fell shut.",
        "He said that he would go.",
        "“Go.”\n\nHe said so.",
        "“Go.”",
    ],
)
def test_a_beat_is_no_tag(text):
    assert tag_in(text) is None


def test_adverbs_are_a_share_of_the_tags():
    text = "\n\n".join(["“Go,” he said."] * 6 + ["“Go,” he said softly."] * 2)
    assert taken("adverbTags", text).value == 25
    assert quotes("adverbTags", text) == ["he said softly"] * 2
    assert taken("adverbTags", "\n\n".join(["“Go,” he said."] * 8)).value == 0


@pytest.mark.parametrize(
    ("tag", "plain"), [("he said softly", "he said"), ("Mary coldly replied", "Mary replied"), ("said Mary coldly", "said Mary")]
)
def test_a_tag_could_stand_without_its_adverb(tag, plain):
    (finding,) = taken("adverbTags", "\n\n".join(["“Go,” he said."] * 8 + [f"“Go,” {tag}."])).findings
    assert (finding.quote, finding.replacement) == (tag, plain)


def test_showy_verbs_are_a_share_of_the_tags():
    text = "\n\n".join(["“Go,” he said."] * 6 + ["“Go,” he opined.", "“Go,” hissed Mary."])
    assert taken("saidBookisms", text).value == 25
    assert quotes("saidBookisms", text) == ["opined", "hissed"]
    assert taken("saidBookisms", "\n\n".join(["“Go,” he said."] * 8)).value == 0


@pytest.mark.parametrize("name", ["adverbTags", "saidBookisms"])
def test_few_tags_say_nothing(name):
    assert taken(name, "“Go,” she opined softly.") is None
