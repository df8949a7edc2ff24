"""Call-backs: rare phrases that the request shares with a sentence far back."""

import random
import time

import pytest

from domain.prompting.callbacks import LEAST_DISTANCE, callbacks
from tests.domain.prompting.book import written

FILLER = "The morning was grey and the men went out to the boats as they had always done. Nobody spoke of it. " * 8
BONE = "In the drawer lay a whalebone corset-busk, carved with a frigate."


def book(**sentences):
    """Chapters one to eight, with a sentence more where one is given by `c3=`."""
    return [written(position, f"{FILLER}\n\n{sentences.get(f'c{position}', '')} {FILLER}") for position in range(1, 9)]


def found(request, texts, names=()):
    return callbacks(request, texts, position=9, names=frozenset(names))


def test_a_rare_word_of_the_request_finds_the_sentence_that_said_it():
    texts = book(c2=BONE)
    (call,) = found("She takes out the whalebone.", texts)
    text = texts[call.text].content.text
    assert texts[call.text].chapter.position == 2
    assert text[call.span[0] : call.span[1]] == BONE
    assert (call.asked, call.said) == ("whalebone", "whalebone")
    assert 0 < call.chance < 1


def test_a_longer_shared_phrase_is_likelier_than_one_word():
    texts = book(c2=BONE)
    (one,) = found("She takes out the whalebone.", texts)
    (more,) = found("The whalebone corset-busk, carved with a frigate.", texts)
    assert more.chance > one.chance


def test_common_phrases_and_what_is_said_again_and_again_are_no_callbacks():
    assert found("Nobody spoke of it.", book()) == []
    assert found("She takes out the whalebone.", book(c1=BONE, c2=BONE, c3=BONE, c4=BONE)) == []


@pytest.mark.parametrize("position", [9 - LEAST_DISTANCE + 1, 8])
def test_what_was_said_just_now_is_no_callback(position):
    assert found("She takes out the whalebone.", book(**{f"c{position}": BONE})) == []


def test_names_are_no_callbacks():
    texts = book(c2="Zebedee Cartwright stood at the door.")
    named = found("Zebedee Cartwright's door.", texts, names={"zebedee", "cartwright"})
    assert all(call.chance < 0.001 for call in named)
    assert found("Zebedee Cartwright's door.", texts)[0].chance > 0.01


def test_in_another_language_the_book_itself_tells_what_is_rare():
    filler = "Der Nebel kam und die Leute gingen zu den Booten wie an jedem Tag. " * 10
    texts = [
        written(position, f"{filler}\n\n{'Die Galionsfigur war aus Birnholz.' if position == 2 else ''} {filler}")
        for position in range(1, 9)
    ]
    calls = callbacks("Sie sieht die Galionsfigur im Nebel.", texts, position=9, names=frozenset(), language="de-AT")
    assert [(texts[call.text].chapter.position, call.asked, call.said) for call in calls] == [(2, "die Galionsfigur", "Die Galionsfigur")]


def test_nothing_is_found_in_nothing():
    assert found("", book(c2=BONE)) == []
    assert callbacks("The whalebone.", [], position=1, names=frozenset()) == []


def test_thousands_of_rare_words_are_looked_up_in_no_time():
    chance = random.Random(1)
    vocabulary = ["".join(chance.choices("abcdefghijklm", k=5)) for _ in range(3_300)]
    text = ". ".join(" ".join(chance.sample(vocabulary, 9)) for _ in range(700))
    request = " ".join(chance.sample(vocabulary, len(vocabulary)))
    began = time.process_time()
    assert len(found(request, [written(1, text)])) > 100
    assert time.process_time() - began < 5  # measured at 0.5; it was 9 when each stretch was compared with each
