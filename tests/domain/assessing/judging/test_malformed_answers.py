"""Two thousand answers as no judge should give them: each is read or broken, none raises, and nothing is found that is not there."""

import json
import random
from collections.abc import Iterator
from itertools import islice

import pytest

from domain.assessing.judging.answer import Broken, Judgement, read_answer
from domain.assessing.judging.concern import Concern, rubrics
from domain.assessing.judging.findings import LONGEST_WORDS
from domain.prompting.untrusted import clean
from tests.domain.assessing.judging.chapters import CHAPTER, answer, call_for, finding, label_of, plan_of, written_answer

CALL = call_for(Concern.FACTS)
SOURCES = {source.source: source for source in CALL.sources}
SENTENCES = [line for line in clean(CHAPTER).replace(". ", ".\n").split("\n") if len(line) > 12]
JUNK = (
    None,
    True,
    -1,
    1e400,
    10**30,
    "",
    "x" * 3_000,
    "\ud800",
    "\x00\x1b",
    [],
    {},
    [[[]]],
    {"quote": "Nobody spoke."},
    "NaN",
    "S1",
    "100",
)
STRANGE = '{}[]",:\\\n\x00\u202e\u200b\ud83d\ufeff‮“”’0159eE+-.truefalsn`'  # noqa: PLE2502  - meant as typed


def good(chance):
    """A whole answer with findings of every kind."""
    conflict = {"source": label_of(CALL, "left-handed"), "quote": "left-handed"}
    findings = [finding(quote=chance.choice(SENTENCES), message=f"Number {number}.") for number in range(3)]
    findings.append(finding(category="CONTINUITY", quote="her right hand", conflict=conflict))
    return answer(*findings, score=chance.randint(0, 100))


def mutated(chance) -> Iterator[str]:
    while True:
        text = list(json.dumps(good(chance), ensure_ascii=False))
        for _ in range(chance.choice((1, 1, 2, 5, 40))):
            at = chance.randrange(len(text))
            match chance.randrange(4):
                case 0:
                    text[at] = chance.choice(STRANGE)
                case 1:
                    text.insert(at, chance.choice(STRANGE))
                case 2:
                    del text[at]
                case _:
                    end = at + chance.randrange(30)
                    text[at:end] = text[at:end] * 2
        yield "".join(text)


def truncated(chance) -> Iterator[str]:
    text = written_answer(finding(), finding(quote="He counted.", category="CONTINUITY", conflict={"source": "S1", "quote": "left-handed"}))
    yield from (text[:end] for end in range(len(text)))
    while True:
        yield json.dumps(good(chance))[chance.randrange(60) :]


def random_text(chance) -> Iterator[str]:
    while True:
        yield "".join(chr(chance.choice((chance.randrange(128), chance.randrange(0x110000)))) for _ in range(chance.randrange(400)))


def nested(chance) -> Iterator[str]:
    while True:
        depth = chance.choice((1, 10, 500, 990, 5_000))
        opening, closing = chance.choice((("[", "]"), ('{"a":', "}"), ('{"findings":[', "]}"), ('[{"score":1,"b":', "}]")))
        inner = chance.choice(("", "null", json.dumps(good(chance))))
        whole = opening * depth + inner + closing * chance.choice((depth, depth - 1, 0))
        yield chance.choice(
            (
                whole,
                f'{{"findings": {whole}, "score": 50, "overall": 50}}',
                f'{{"findings": [{{"quote": {whole or 0}}}], "score": 5, "overall": 5}}',
            )
        )


def retyped(chance) -> Iterator[str]:
    """A whole answer in which some values are junk."""
    while True:
        made = good(chance)
        for _ in range(chance.randint(1, 6)):
            item = chance.choice(
                (made, chance.choice(made["findings"]) if isinstance(made.get("findings"), list) and made["findings"] else made)
            )
            if isinstance(item, dict) and item:
                item[chance.choice(sorted(item))] = chance.choice(JUNK)
        yield json.dumps(made)


def altered(chance) -> Iterator[str]:
    """A letter of each quote is another one; some come with offsets that the model has made up."""
    while True:
        made = good(chance)
        for item in made["findings"]:
            at = chance.choice([number for number, letter in enumerate(item["quote"]) if letter.isalpha()])
            item["quote"] = item["quote"][:at] + ("x" if item["quote"][at] != "x" else "y") + item["quote"][at + 1 :]
            item.update(chance.choice(({}, {"start": 0, "end": 10}, {"start": -5, "end": 10**9}, {"offset": 3})))
        yield json.dumps(made)


def misattributed(chance) -> Iterator[str]:
    """Contradictions whose other side is not where they say it is."""
    words = ("limps when he lies", "left-handed", "a widower, sixty", "seasick within sight of land", "moving sand", "Mara drowns.")
    while True:
        conflicts = (
            {"source": f"S{number}", "quote": quote}
            for number in range(-1, 30)
            for quote in words
            if not any(source.label == f"S{number}" and quote in source.text for source in CALL.sources)
        )
        chosen = chance.sample(list(conflicts), 3)
        yield written_answer(*(finding(category="CONTINUITY", quote=chance.choice(SENTENCES), conflict=each) for each in chosen))


KINDS = {mutated: 600, truncated: 450, random_text: 150, nested: 150, retyped: 300, altered: 200, misattributed: 200}


@pytest.fixture(scope="module")
def read():
    """Every answer with what it is read as, by kind."""
    return {
        make.__name__: [(text, read_answer(CALL, text, plan_of())) for text in islice(make(random.Random(make.__name__)), times)]
        for make, times in KINDS.items()
    }


def test_there_are_two_thousand_and_each_is_read_or_broken(read):
    everything = [result for results in read.values() for _, result in results]
    assert len(everything) >= 2_000
    assert {type(result) for result in everything} == {Judgement, Broken}
    assert sum(isinstance(result, Judgement) for result in everything) > 600
    assert sum(isinstance(result, Broken) for result in everything) > 600
    assert all(result.reason.endswith(".") and len(result.reason) < 200 for result in everything if isinstance(result, Broken))


def test_every_quote_stands_in_the_text_and_every_conflict_in_its_source(read):
    findings = [issue for results in read.values() for _, result in results if isinstance(result, Judgement) for issue in result.findings]
    assert len(findings) > 500
    for issue in findings:
        assert issue.quote
        assert CHAPTER[issue.start : issue.end] == issue.quote
        assert issue.category in rubrics().of[Concern.FACTS].categories
        assert 0 < len(issue.message) <= LONGEST_WORDS
        assert issue.replacement != issue.quote
        if issue.category == "CONTINUITY":
            assert issue.conflicts_with or "[" in issue.message
        if issue.conflicts_with:
            assert issue.conflicts_with.quote in SOURCES[issue.conflicts_with.source].text


def test_scores_are_whole_numbers_in_range(read):
    for results in read.values():
        for _, result in results:
            if isinstance(result, Judgement):
                assert type(result.score) is type(result.overall) is int
                assert 0 <= result.score <= 100
                assert 0 <= result.overall <= 100


def test_a_quote_with_one_other_letter_is_never_found(read):
    for _, result in read["altered"]:
        assert result.findings == ()
        assert result.rejected.misquoted == 4


def test_a_contradiction_named_for_the_wrong_source_is_never_believed(read):
    for _, result in read["misattributed"]:
        assert result.findings == ()
        assert result.rejected.unsupported == 3


def test_no_beginning_of_an_answer_is_taken_for_it(read):
    assert all(isinstance(result, Broken) for _, result in read["truncated"][:400])


def test_the_same_answer_is_read_in_the_same_way(read):
    again = {name: [read_answer(CALL, text, plan_of()) for text, _ in results[:50]] for name, results in read.items()}
    assert again == {name: [result for _, result in results[:50]] for name, results in read.items()}
