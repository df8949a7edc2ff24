"""Searching passages: what a request is about comes first, for the words they share."""

import random

from hypothesis import given
from hypothesis import strategies as st

from domain.prompting.index.terms import terms
from domain.prompting.index.text_index import indexed
from domain.prompting.search import Search, Text

QUAY = "The apothecary came down to the quay with a lantern and a bottle of quinine. He would not take money for it."
MILL = "At the mill nobody had slept. The miller counted sacks until the light came, and the cat watched him count."
FILLER = [
    "It rained on the hill and the sheep stood about in it, as they had stood about the year before.",
    "Nothing came of that, as nothing ever did.",
]


def chapter(*paragraphs, title=""):
    return Text(indexed("\n\n".join(paragraph + " " + "x" * 330 for paragraph in paragraphs)), frozenset(terms(title)))


def test_the_passage_that_shares_rare_words_with_the_request_comes_first():
    texts = [chapter(FILLER[0], MILL), chapter(FILLER[1], QUAY)]
    best, *_ = Search("Quinine for the miller's boy: she finds the apothecary.", texts).hits(5)
    assert (best.text, best.passage) == (1, 1)
    assert 0 < best.coverage <= 1


def test_words_side_by_side_count_more_than_apart():
    together, apart = "A white bone lay there among the nets.", "A white sail, and the bone comb of her mother."
    texts = [chapter(apart, *FILLER), chapter(together, *FILLER)]
    best, second, *_ = Search("the white bone", texts).hits(5)
    assert (best.text, second.text) == (1, 0)


def test_a_title_in_the_request_points_at_its_chapter():
    texts = [chapter(MILL, *FILLER, title="The Miller's Cat"), chapter("The cat slept.", *FILLER, title="Fog"), chapter(*FILLER)]
    best, *_ = Search("The Miller's Cat: who watches?", texts).hits(5)
    assert best.text == 0
    assert best.named


def test_nothing_shared_is_nothing_found():
    assert Search("zebra", [chapter(MILL)]).hits(5) == []
    assert Search("", [chapter(MILL)]).hits(5) == []
    assert Search("mill", []).hits(5) == []


WORDS = st.lists(st.sampled_from(["quay", "mill", "cat", "lantern", "sack", "rain", "the"]), min_size=1, max_size=40).map(" ".join)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=5))
def test_scores_fall_and_every_passage_that_shares_a_term_is_found_once(request, texts):
    searched = [Text(indexed(text)) for text in texts]
    hits = Search(request, searched).hits(100)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    shared = {number for number, text in enumerate(texts) if set(terms(text)) & set(terms(request))}
    assert {hit.text for hit in hits} == shared
    assert len({(hit.text, hit.passage) for hit in hits}) == len(hits)


def test_a_thousand_passages_are_the_same_every_time():
    chance = random.Random(5)
    texts = [Text(indexed(" ".join(chance.choice(QUAY.split() + MILL.split()) for _ in range(3_000)))) for _ in range(10)]
    assert Search(QUAY, texts).hits(50) == Search(QUAY, texts).hits(50)


def test_the_passages_of_a_text_have_the_weights_of_the_terms_they_hold():
    search = Search("quay mill cat", [chapter(MILL, QUAY), chapter(FILLER[0])])
    scores = search.passages_of(0)
    assert scores == {0: search.weights["mill"] + search.weights["cat"], 1: search.weights["quay"]}
    assert search.passages_of(1) == {}
