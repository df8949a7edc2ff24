"""Passages of earlier chapters: what is sent anyway is not searched, and each passage comes back once."""

from dataclasses import replace
from itertools import pairwise
from uuid import UUID

import pytest

from domain.llm.tokens import TokenCounter
from domain.prompting.candidates import TokenMeter
from domain.prompting.passage_candidates import MOST_HITS, RECENT_CHARACTERS, passage_candidates
from domain.prompting.receipts import Reason
from domain.prompting.scene import prepare
from tests.domain.prompting.book import MODEL, chapter, salt_road, wish, written

FILLER = "The morning was grey and the men went out to the boats as they had always done. Nobody spoke of it. " * 8
BONE = "In the drawer lay a whalebone corset-busk, carved with a frigate."
METER = TokenMeter(TokenCounter(), MODEL)


def found(brief, *texts, wanted=None, beyond=True, **changes):
    earlier = tuple(written(position, text, title="") for position, text in enumerate(texts, start=1))
    material = salt_road(chapter=chapter(len(texts) + 1, title="", brief=brief, **changes), references=(), earlier=earlier)
    return list(passage_candidates(prepare(material, wanted or wish()), METER, beyond_recent_text=beyond))


def texts(candidate):
    return [variant.text for variant in candidate.variants]


def test_the_end_of_the_previous_chapter_is_not_searched_when_it_is_sent():
    last = (
        f"{BONE} {FILLER}\n\n" + "\n\n".join(FILLER + str(number) for number in range(RECENT_CHARACTERS // len(FILLER) + 1)) + f"\n\n{BONE}"
    )
    assert [one.label for one in found("A whalebone.", last)] == ["Chapter 1 (passage 1)"]
    searched = {one.label for one in found("A whalebone.", last, beyond=False)}
    assert len(searched) == 2
    assert found("A whalebone.", FILLER, BONE) == []
    assert [one.label for one in found("A whalebone.", BONE, FILLER)] == ["Chapter 1 (passage 1)"]


def test_chapters_that_are_sent_in_full_or_not_at_all_are_not_searched():
    books = (f"{BONE} {FILLER}", FILLER, FILLER, FILLER)
    assert len(found("A whalebone.", *books)) == 1
    assert found("A whalebone.", *books, wanted=wish(include=(UUID(int=1001),))) == []
    assert found("A whalebone.", *books, wanted=wish(exclude=(UUID(int=1001),))) == []


def test_a_passage_found_as_callback_and_as_hit_comes_back_once_with_growing_parts():
    (one,) = found("She takes out the whalebone frigate.", f"{FILLER} {BONE} {FILLER}", FILLER, FILLER, FILLER)
    assert one.reason is Reason.RELEVANT
    assert one.evidence[:2] == ('"whalebone" in the brief', '"whalebone" in passage 1 of chapter 1')
    assert len(one.evidence) > 2
    assert texts(one)[0] == f"### Chapter 1\n\n{BONE}\n\n"
    spans = [variant.spans[0] for variant in one.variants]
    assert len(spans) == len(set(spans)) >= 2
    assert all(more[0] <= less[0] and less[1] <= more[1] for less, more in pairwise(spans))
    assert [variant.worth for variant in one.variants] == sorted(variant.worth for variant in one.variants)
    assert [variant.complete for variant in one.variants] == [False] * (len(spans) - 1) + [True]
    assert one.tokens_in_full == one.variants[-1].tokens


def test_two_callbacks_in_one_passage_are_one_candidate():
    (one,) = found("The whalebone. The astrolabe.", f"{BONE} It rained. An astrolabe of brass hung by the stove.", FILLER, FILLER, FILLER)
    assert one.evidence == (
        '"whalebone" in the brief',
        '"whalebone" in passage 1 of chapter 1',
        '"astrolabe" in the brief',
        '"astrolabe" in passage 1 of chapter 1',
    )
    assert len({variant.spans for variant in one.variants}) == len(one.variants)


def test_a_passage_that_says_the_same_as_a_better_one_is_a_duplicate():
    said = [f"{BONE} {FILLER}", f"{BONE} {FILLER} Then it rained.", FILLER, FILLER, FILLER]
    candidates = found("A whalebone corset-busk.", *said)
    (better,) = [one for one in candidates if one.variants]
    (same,) = [one for one in candidates if not one.variants]
    assert same.reason is Reason.DUPLICATE
    assert same.evidence[0] == f"says the same as {better.label}"
    assert same.score == 0.0
    assert same.tokens_in_full > 100


def test_no_more_passages_come_than_anybody_would_read():
    books = [
        "\n\n".join(f"The harbour of {place}{number} lies {'far ' * 80}{number} {place * 30}." for number in range(20)) for place in "abcd"
    ]
    assert len(found("The harbour.", *books, FILLER)) == MOST_HITS


def test_a_stop_word_is_no_evidence_for_a_word_that_looks_like_it():
    (one,) = found("Willing?", f"She was willing. They will. {FILLER}", FILLER, FILLER, FILLER)
    assert set(one.evidence) <= {'"Willing" in the brief', '"willing" in passage 1 of chapter 1'}
    assert '"willing" in passage 1 of chapter 1' in one.evidence


@pytest.mark.parametrize("brief", ["", "Zebras.", "the and of"])
def test_what_nothing_is_shared_with_finds_nothing(brief):
    assert found(brief, FILLER, FILLER) == []
    assert found(brief) == []


def test_their_order_does_not_depend_on_the_order_of_the_chapters():
    material = salt_road(references=(), chapter=chapter(3, brief="Joren's ledger, fog and the bell."))
    one, other = (
        list(passage_candidates(prepare(each, wish()), METER)) for each in (material, replace(material, earlier=material.earlier[::-1]))
    )
    assert one == other
    assert one


def test_a_passage_that_shares_one_common_word_is_not_worth_sending_however_much_room_there_is():
    weak = [f"Nobody asks. {' '.join(f'ab{number}cd{word}' for word in range(50))}." for number in range(30)]
    strong = "Her brother hid the sextant of the brig Constance under the bench. " + " ".join(f"xy{word}" for word in range(60))
    brief = "Joren hides the sextant under the bench, and asks about the brig Constance and her brother."
    candidates = found(brief, "\n\n".join([*weak[:15], strong, *weak[15:]]), "The fog came in. " * 40)
    assert "sextant" in texts(max(candidates, key=lambda one: one.score))[0]
    assert 1 <= len(candidates) < MOST_HITS / 2
