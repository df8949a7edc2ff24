"""Projects as large as may be, and requests made to take long: a prompt comes of them all the same, and soon enough."""

import random
import time
from uuid import UUID

import pytest

from domain.llm.tokens import TokenCounter
from domain.prompting.optimizer import build_prompt
from domain.prompting.receipts import Decision, Reason, SourceKind
from domain.reference_files import ReferenceKind
from tests.domain.prompting.book import MODEL, chapter, reference, salt_road, wish, written

TOKENS = TokenCounter()
VOCABULARY = "the fog came in over bar and she counted bell for men who waited until tide turned lantern harbour ledger ink knife".split()  # noqa: SIM905
KINDS = list(ReferenceKind)
LONGEST = 30
"""Seconds of this process, several times what the slowest was measured at; what takes time by the square of its size takes hours."""


def prose(chance, words):
    return " ".join(chance.choice(VOCABULARY) + chance.choice(["", "", "", ".", ".\n\n"]) for _ in range(words))


def person(number):
    return "Q" + "".join("abcdefghij"[int(digit)] for digit in f"{number:04}")


def build(material, budget=8_000, **changes):
    began = time.process_time()
    prompt = build_prompt(material, wish(budget, **changes), tokens=TOKENS)
    assert time.process_time() - began < LONGEST
    assert prompt.receipt.tokens_used == TOKENS.count_messages(prompt.messages, model=MODEL) <= budget
    assert sum(one.tokens for one in prompt.receipt.items) == prompt.receipt.tokens_used
    return prompt


def files_of(prompt):
    return [one for one in prompt.receipt.items if one.source and one.source.kind is SourceKind.REFERENCE_FILE]


@pytest.fixture(scope="module")
def earlier():
    chance = random.Random(2)
    return tuple(written(number, f"{person(number)} and {person(number + 2)} came. {prose(chance, 400)}") for number in range(1, 30))


def test_of_ten_thousand_files_the_five_that_the_brief_names_are_sent(earlier):
    chance = random.Random(1)
    named = (3, 1_005, 2_777, 5_001, 9_999)
    references = tuple(
        reference(
            10_000 + number,
            f"{person(number)} Reck{person(number).lower()}",
            prose(chance, 40),
            kind=ReferenceKind.CHARACTER if number % 2 else KINDS[number % 6],
        )
        for number in range(10_000)
    )
    brief = f"{', '.join(map(person, named))} counted the bell. The ledger burned."
    prompt = build(salt_road(chapter=chapter(31, brief=brief), references=references, earlier=earlier))
    found = files_of(prompt)
    assert sorted(one.source.id.int for one in found) == list(range(10_000, 20_000))
    sent = {one.source.id.int - 10_000: one for one in found if one.decision is not Decision.LEFT_OUT}
    assert {sent[number].reason for number in named} == {Reason.MENTIONED}
    assert {sent[number].evidence[0] for number in named} == {f'"{person(number)}" in the brief' for number in named}


def test_ten_thousand_files_that_share_one_name_are_no_burden(earlier):
    chance = random.Random(3)
    references = tuple(reference(10_000 + number, f"Person{number}", prose(chance, 20), aliases=("the clerk",)) for number in range(10_000))
    prompt = build(salt_road(chapter=chapter(31, brief="The clerk counted. " * 50), references=references, earlier=earlier))
    assert len(files_of(prompt)) == 10_000


def test_a_brief_of_nothing_but_names_is_no_burden(earlier):
    references = tuple(reference(10_000 + number, person(number), f"A clerk with {number} pens.") for number in range(6_000))
    brief = " ".join(person(number) for number in range(6_000))[:20_000]
    prompt = build(salt_road(chapter=chapter(31, brief=brief), references=references, earlier=earlier), 20_000)
    assert sum('"Qaaab" in the brief' in one.evidence for one in prompt.receipt.items) == 1


@pytest.mark.parametrize("content", ["prose", "one paragraph", "one word", "points", "blank lines"])
def test_a_file_of_five_megabytes_is_sent_in_part(content):
    text = {
        "prose": prose(random.Random(4), 200_000) * 6,
        "one paragraph": "lantern " * 640_000,
        "one word": "x" * 5_000_000,
        "points": "x" + ". " * 2_500_000 + "x",
        "blank lines": ("x" + " \n" * 10) * 250_000,
    }[content][:5_000_000]
    began = time.process_time()
    large = reference(99, "Bible", text)
    assert time.process_time() - began < LONGEST
    prompt = build(salt_road(references=(large,), chapter=chapter(3, brief="The Bible: a lantern.")))
    (file,) = files_of(prompt)
    assert (file.decision, file.reason) == (Decision.REDUCED, Reason.MENTIONED)
    assert 0 < file.tokens < file.tokens_in_full


@pytest.mark.parametrize("word", ["lantern ", "lantern. ", "lantern\n", "lantern, ", "Mara ", "海", "the "])
def test_one_word_again_and_again_is_no_burden(word):
    brief = (word * 20_000)[:20_000]
    earlier = tuple(written(number, (word * 30_000)[:30_000]) for number in range(1, 9))
    prompt = build(salt_road(chapter=chapter(9, brief=brief, title=""), earlier=earlier), 40_000)
    assert brief.strip()[:1_000] in prompt.messages[1].text


@pytest.mark.parametrize("joined", [" ", "\n", ". "])
def test_a_brief_of_three_thousand_different_words_that_all_stand_in_the_book_is_no_burden(joined):
    chance = random.Random(5)
    vocabulary = ["".join(chance.choices("abcdefghijklm", k=5)) for _ in range(3_300)]
    earlier = tuple(
        written(number, ". ".join(" ".join(chance.sample(vocabulary, 9)) for _ in range(400)), summary=prose(chance, 50))
        for number in range(1, 5)
    )
    brief = joined.join(chance.sample(vocabulary, len(vocabulary)))[:20_000]
    build(salt_road(chapter=chapter(9, brief=brief), earlier=earlier), 40_000)


def test_two_thousand_chapters_of_fifty_words_are_weighed():
    chance = random.Random(6)
    earlier = tuple(
        written(number, f"{chance.choice(['Mara', 'Joren', 'Tobias'])} waited. {prose(chance, 50)}", title=f"Day {number}")
        for number in range(1, 2_001)
    )
    material = salt_road(chapter=chapter(2_001, brief="Mara and the ledger. " + prose(chance, 300)), earlier=earlier)
    prompt = build(material, 20_000)
    story = [one for one in prompt.receipt.items if one.group == "story so far"]
    assert [one.source.id for one in story if one.source] == [UUID(int=2_000 + number) for number in range(1, 2_001)]


def test_a_brief_of_many_words_in_a_project_of_many_chapters_and_files_is_looked_up_by_the_words_they_share():
    chance = random.Random(7)
    vocabulary = ["".join(chance.choices("abcdefghijklm", k=5)) for _ in range(3_300)]

    def some(words):
        return " ".join(chance.sample(vocabulary, words))

    earlier = tuple(written(number, some(50), summary=some(30), title=some(3)) for number in range(1, 2_001))
    references = tuple(reference(10_000 + number, person(number), some(60), kind=KINDS[number % 6]) for number in range(3_000))
    build(salt_road(chapter=chapter(2_001, brief=some(3_300)[:20_000]), earlier=earlier, references=references), 40_000)
