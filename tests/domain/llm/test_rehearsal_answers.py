"""The stand-in's JSON: true to whatever schema, labelled, the same every time, and quoting the text that it was shown."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessing.assessment import FindingCategory, FindingSeverity, Measurement
from domain.assessing.judging.answer import Judgement, read_answer, repair_call
from domain.assessing.judging.pairwise import Choice, comparison_calls, read_preference
from domain.assessing.judging.plan import judgements
from domain.assessing.judging.verdict import combine
from domain.llm.model import FinishReason, Message, Role
from domain.llm.rehearsal_answers import MARK, RATIONALE, RehearsedAnswer
from domain.llm.rehearsal_model import RehearsalModel
from tests.domain.assessing.judging.chapters import CHAPTER, TOKENS, large_project, plan_of
from tests.domain.prompting.book import MODEL, salt_road

SEED = bytes(range(32))


@pytest.fixture
def model(tokens):
    return RehearsalModel(words_per_second=None, tokens=tokens)


TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", type(None): "null"}


def check(value, schema):
    """That the value is true to the schema: as much of JSON Schema as is used here."""
    if "anyOf" in schema:
        assert any(is_true(value, each) for each in schema["anyOf"])
        return
    assert value in schema.get("enum", [value])
    kinds = schema.get("type", [])
    assert TYPES[type(value)] in ([kinds] if isinstance(kinds, str) else kinds)
    if isinstance(value, dict):
        assert list(value) == list(schema["properties"])
    for name, each in value.items() if isinstance(value, dict) else ():
        check(each, schema["properties"][name])
    for each in value if isinstance(value, list) else ():
        check(each, schema["items"])
    if isinstance(value, list | str):
        least, most = ("minItems", "maxItems") if isinstance(value, list) else ("minLength", "maxLength")
        assert schema.get(least, 0) <= len(value) <= schema.get(most, len(value))
    if type(value) is int:
        assert schema.get("minimum", value) <= value <= schema.get("maximum", value)


def is_true(value, schema):
    try:
        check(value, schema)
    except (AssertionError, KeyError):
        return False
    return True


def objects(inner):
    names = st.sampled_from(
        ["quote", "replacement", "score", "conflict", "source", "category", "severity", "edit", "text", "title", "items"]
    )
    return st.dictionaries(names, inner, max_size=5).map(
        lambda properties: {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    )


def lists(inner):
    bounds = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda pair: {"minItems": pair[0], "maxItems": pair[0] + pair[1]})
    return st.builds(lambda items, more: {"type": "array", "items": items} | more, inner, st.one_of(st.just({}), bounds))


NUMBERS = st.tuples(st.integers(-9, 200), st.integers(0, 90)).map(
    lambda pair: {"type": "integer", "minimum": pair[0], "maximum": pair[0] + pair[1]}
)
STRINGS = st.one_of(
    st.just({"type": "string"}),
    st.integers(0, 60).map(lambda length: {"type": "string", "minLength": length, "maxLength": length + 3}),
    st.just({"type": "string", "enum": ["RED", "TIE", "GREEN"]}),
    st.just({"type": "string", "enum": ["Lamp", "counted"]}),
    st.just({"type": ["string", "null"]}),
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
)
SCHEMAS = objects(st.recursive(st.one_of(NUMBERS, STRINGS), lambda inner: st.one_of(objects(inner), lists(inner)), max_leaves=8))


@settings(deadline=None)
@given(
    SCHEMAS,
    st.sampled_from([CHAPTER, "", "x", "<material abc>\n\n</material abc>", plan_of().calls[0].messages[1].text]),
    st.binary(min_size=1, max_size=8),
)
def test_every_answer_is_true_to_its_schema(schema, text, seed):
    check(json.loads(RehearsedAnswer((Message(Role.USER, text),), seed).write(schema)), schema)


def test_definitions_are_looked_up():
    schema = {
        "type": "object",
        "properties": {"one": {"$ref": "#/$defs/Score"}},
        "$defs": {"Score": {"type": "integer", "minimum": 4, "maximum": 4}},
    }
    assert json.loads(RehearsedAnswer((), SEED).write(schema)) == {"one": 4}
    assert json.loads(RehearsedAnswer((), SEED).write({"type": "object", "properties": {"kind": {"const": 7}}})) == {"kind": 7}


async def judged(model, complete, plan):
    answers = [await complete(model, call.request) for call in plan.calls]
    assert {completed.finish for _, completed in answers} == {FinishReason.STOP}
    return [(json.loads(text), read_answer(call, text, plan)) for call, (text, _) in zip(plan.calls, answers, strict=True)]


async def test_a_chapter_is_judged_as_if_by_a_model(model, complete):
    plan = plan_of()
    read = await judged(model, complete, plan)
    for call, (raw, judgement) in zip(plan.calls, read, strict=True):
        check(raw, call.response_schema)
        assert isinstance(judgement, Judgement)
        assert 1 <= len(judgement.findings) <= 2
        assert judgement.rejected.total == 0
        assert judgement.rationale == RATIONALE
        for issue in judgement.findings:
            assert CHAPTER[issue.start : issue.end] == issue.quote
            assert issue.message == RATIONALE
        assert [
            issue for issue in judgement.findings if issue.severity is FindingSeverity.MINOR and issue.replacement.endswith(f" {MARK} 1]")
        ]
    facts = read[0][1].findings
    (contradiction,) = (issue for issue in facts if issue.category is FindingCategory.CONTINUITY)
    assert (
        contradiction.conflicts_with.quote
        in {source.source: source.text for source in plan.calls[0].sources}[contradiction.conflicts_with.source]
    )
    verdict = combine([judgement for _, judgement in read], Measurement(metrics=(), findings=(), score=60.0))
    assert 40 < verdict.low < verdict.high < 80
    assert len(verdict.findings) >= 4


async def test_long_chapters_and_bare_projects_are_judged_as_well(model, complete):
    text, material = large_project()
    for chapter, known in ((text * 2, material), (CHAPTER, salt_road(references=(), earlier=())), ("Only this.", salt_road())):
        plan = judgements(chapter, known, model=MODEL, tokens=TOKENS)
        for _, judgement in await judged(model, complete, plan):
            assert judgement.findings
            assert judgement.rejected.total == 0
    for _, judgement in await judged(model, complete, judgements("", salt_road(), model=MODEL, tokens=TOKENS)):
        assert judgement.findings == ()


async def test_a_repaired_call_is_answered_as_well(model, complete):
    plan = plan_of()
    call = plan.calls[2]
    messages = repair_call(call, "No.", read_answer(call, "No.", plan))
    text, _ = await complete(model, replace(call.request, messages=messages))
    assert read_answer(call, text, plan).findings


async def test_two_versions_are_a_tie(model, complete):
    for call in comparison_calls(CHAPTER, f"{CHAPTER} The end.", salt_road(), model=MODEL, tokens=TOKENS):
        text, _ = await complete(model, call.request)
        assert read_preference(text, call) is Choice.TIE
        assert json.loads(text)["reason"] == RATIONALE


async def test_the_same_request_has_the_same_answer_and_arrives_in_pieces(model, complete):
    request = plan_of().calls[0].request
    assert await complete(model, request) == await complete(model, request)
    async with model.stream(request) as items:
        pieces = [item async for item in items]
    assert len(pieces) > 20


async def test_an_answer_is_cut_at_the_limit_like_any_text(model, complete):
    text, completed = await complete(model, replace(plan_of().calls[0].request, max_tokens=20))
    assert completed.finish is FinishReason.LENGTH
    assert completed.usage.completion_tokens <= 20
    assert text.startswith("{")


def entries(**properties):
    item = {"type": "object", "properties": {name: {"type": kind} for name, kind in properties.items()}, "required": [*properties]}
    return {"type": "array", "items": item}


EDITS = {
    "type": "object",
    "properties": {
        "edits": entries(edit="string", replacement="string"),
        "insertions": entries(edit="string", after_quote="string", before="string", after="string", new_paragraph="boolean", text="string"),
        "proposals": entries(quote="string", before="string", after="string", replacement="string"),
    },
}
REVISION = """## The chapter

<material aabbccdd>
Chapter 3: The Bar

Mara counted the bell once more. Nobody in the long room spoke. Then the lamp went out for good.
</material aabbccdd>

"""
WANTED = """## What to change

<material aabbccdd>
E1. The passage:
Nobody in the long room spoke.
Finding about “spoke”: Flat.

I1. Missing from the chapter.
Finding: No boat.
</material aabbccdd>
"""


def test_edits_that_are_asked_for_by_name_are_made_and_marked():
    made = json.loads(RehearsedAnswer((Message(Role.USER, REVISION + WANTED),), SEED).write(EDITS))
    assert made["edits"] == [{"edit": "E1", "replacement": f"Nobody in the long room spoke. {MARK} 1]"}]
    (insertion,) = made["insertions"]
    assert insertion["edit"] == "I1"
    assert insertion["after_quote"] in REVISION
    assert insertion["text"] == f"{MARK} 1]"
    assert made["proposals"] == []


def test_where_nothing_is_named_changes_are_proposed_to_the_chapters_own_sentences():
    made = json.loads(RehearsedAnswer((Message(Role.USER, REVISION),), SEED).write(EDITS))
    assert made["edits"] == made["insertions"] == []
    assert len(made["proposals"]) == 2
    for each in made["proposals"]:
        assert each["quote"] in REVISION
        assert each["replacement"] == f"{each['quote']} {MARK} 1]"
        assert REVISION.index(each["before"]) < REVISION.index(each["quote"])
