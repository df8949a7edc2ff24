"""What is asked: every concern of every part, behind a prefix that is shared, within a price, and the same every time."""

import subprocess
import sys
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

from domain.assessing.assessment import FindingCategory
from domain.assessing.judging.concern import rubrics
from domain.assessing.judging.plan import ANSWER_TOKENS, EXPECTED_ANSWER_TOKENS, LEAST_MATERIAL, judgements, judging_tokens
from domain.llm.model import Role
from domain.reference_files import InclusionPolicy
from tests.domain.assessing.judging.chapters import CONCERNS, TOKENS, call_for, large_project, plan_of
from tests.domain.prompting.book import MODEL, reference, salt_road

CHECKOUT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def long():
    text, material = large_project()
    return text, judgements(text, material, model=MODEL, tokens=TOKENS)


@pytest.fixture(scope="module")
def in_parts():
    text, material = large_project()
    book = text + "\n\n* * *\n\n" + text[:12_000] + "\n\n* * *\n\n" + text[12_000:]
    return book, judgements(book, material, model=MODEL, tokens=TOKENS)


def test_each_concern_is_asked_once_about_a_chapter_of_usual_length(long):
    _, plan = long
    assert [call.concern for call in plan.calls] == list(CONCERNS)
    assert [call.name for call in plan.calls] == ["facts", "brief", "craft", "voice"]
    assert plan.version == rubrics().version


def test_an_assessment_sends_at_most_so_much_for_each_token_of_the_chapter(long):
    text, plan = long
    tokens = TOKENS.count(text, model=MODEL)
    assert 3_900 < len(text.split()) < 4_300
    each = [TOKENS.count_messages(call.messages, model=MODEL) / tokens for call in plan.calls]
    assert max(each) <= 1.6
    assert min(each) > 1.4, "the room that the rules leave is used for material"
    assert len(plan.calls[0].sources) > 5


def test_so_does_each_concern_of_a_chapter_in_parts(in_parts):
    text, plan = in_parts
    tokens = TOKENS.count(text, model=MODEL)
    for concern in CONCERNS:
        calls = [call for call in plan.calls if call.concern is concern]
        assert len(calls) > 1
        assert sum(TOKENS.count_messages(call.messages, model=MODEL) for call in calls) <= 1.6 * tokens


def test_a_short_chapter_is_judged_with_some_material_all_the_same():
    _, material = large_project()
    plan = judgements("Mara came. Tobick went.", material, model=MODEL, tokens=TOKENS)
    sent = TOKENS.count("".join(source.sent for source in plan.calls[0].sources), model=MODEL)
    assert LEAST_MATERIAL / 2 < sent <= LEAST_MATERIAL


def test_what_the_calls_take_is_counted_before_they_are_made(long):
    _, plan = long
    assert judging_tokens(plan) == (
        sum(TOKENS.count_messages(call.messages, model=MODEL) for call in plan.calls),
        4 * EXPECTED_ANSWER_TOKENS,
    )


def test_calls_about_one_part_begin_with_the_same_bytes_and_follow_each_other(in_parts):
    _, plan = in_parts
    for number, group in groupby(plan.calls, key=lambda call: call.part.number):
        calls = list(group)
        assert [call.concern for call in calls] == list(CONCERNS)
        assert len({call.messages[:-1] for call in calls}) == 1
        assert len({call.messages[-1] for call in calls}) == 4
        assert len({str(call.response_schema) for call in calls}) == 1, "a provider reads the schema before the messages"
        assert [call.name for call in calls] == [f"{concern.lower()}:{number}" for concern in CONCERNS]


def test_parts_tile_the_chapter_and_stand_in_their_calls_without_a_gap(in_parts):
    text, plan = in_parts
    parts = list(dict.fromkeys(call.part for call in plan.calls))
    assert "".join(text[part.start : part.end] for part in parts) == text
    for part in parts:
        (call, *_) = (call for call in plan.calls if call.part == part)
        assert text[part.start : part.end].strip("\n") in call.messages[1].text


def test_a_later_part_sees_how_the_one_before_ends(in_parts):
    text, plan = in_parts
    for call in plan.calls:
        ending = text[: call.part.start].rstrip()[-60:]
        assert ("How the part before ends" in call.messages[1].text) is (call.part.number > 1)
        assert ending in call.messages[1].text.split("## The text to be judged")[0]


def test_requests_are_cool_bounded_and_ask_for_json(long):
    _, plan = long
    for call in plan.calls:
        assert call.request.temperature == 0.0
        assert call.request.max_tokens == ANSWER_TOKENS
        assert call.request.model == MODEL
        assert [message.role for message in call.messages] == [Role.SYSTEM, Role.USER, Role.USER]
        assert "JSON" in call.messages[0].text
        assert "JSON" in call.messages[-1].text


def test_the_schema_is_one_that_strict_providers_take():
    def check(schema):
        match schema.get("type"):
            case "object":
                assert schema["additionalProperties"] is False
                assert schema["required"] == list(schema["properties"])
                for each in schema["properties"].values():
                    check(each)
            case "array":
                check(schema["items"])
        for each in schema.get("anyOf", ()):
            check(each)

    schema = plan_of().calls[0].response_schema
    check(schema)
    assert list(schema["properties"]) == ["findings", "rationale", "score", "overall"], "evidence before the score"
    assert schema["properties"]["findings"]["items"]["properties"]["category"]["enum"] == list(FindingCategory)


def test_each_question_says_what_its_concern_may_find_what_its_scores_mean_and_what_caps_them():
    for call in plan_of().calls:
        rubric, asked = rubrics().of[call.concern], call.messages[-1].text
        assert rubric.title in asked
        assert f"Categories for this concern: {', '.join(rubric.categories)}." in asked
        assert all(f"-{highest}: {meaning}" in asked for highest, meaning in rubric.bands)
        assert all(cap in asked for cap in rubric.caps)
    rules = plan_of().calls[0].messages[0].text
    for said in ("Finding nothing is a good answer", "narrator who cannot be trusted", "figure of speech", "between 45 and 70"):
        assert said in rules


def test_the_brief_and_the_settings_are_the_authors_word_and_stand_outside_the_fences():
    told = plan_of().calls[0].messages[1].text.split("<material")[0]
    for said in (
        "Mara takes Joren out over the bar at dusk.",
        "past tense",
        "No similes with animals.",
        "1,800 words",
        "point of view of Mara",
    ):
        assert said in told


def test_the_sheets_of_those_who_appear_are_shown_with_labels_and_what_is_barred_is_not():
    call = call_for(CONCERNS[0])
    shown = call.messages[1].text
    for name in ("Mara Venn", "Joren Hale", "Tobias Reck"):
        assert f": {name}" in shown
    assert [source.label for source in call.sources] == [f"S{number}" for number in range(1, len(call.sources) + 1)]
    for source in call.sources:
        assert source.sent.rstrip() in shown
        assert source.sent.startswith(f"### {source.label}: ")
    assert "Reserved for chapter nine" not in shown
    assert "Mara drowns." not in shown


def test_a_source_keeps_all_that_it_says_however_little_of_it_is_shown(long):
    _, plan = long
    _, material = large_project()
    texts = {one.file.id: one.content.text for one in material.references} | {one.version_id: one.content.text for one in material.earlier}
    cut = [source for source in plan.calls[0].sources if "(excerpt)" in source.sent]
    assert cut
    assert all(source.text == texts[source.source.id] for source in plan.calls[0].sources)


def test_the_previous_chapters_last_lines_are_shown():
    assert any(source.sent.rstrip().endswith("and did not offer her hand.") for source in plan_of().calls[0].sources)


def test_an_earlier_passage_that_says_the_same_is_shown():
    text = "She remembered the ledger. Joren Hale wrote the eleventh line in the ledger and blotted it; the ink was poor." * 3
    earlier = salt_road().earlier
    sources = plan_of(text).calls[0].sources
    assert any(source.source.id == earlier[1].version_id and "blotted" in source.sent for source in sources)


def test_files_that_are_wanted_always_are_shown_if_they_leave_room_for_others():
    _, material = large_project()
    book = " ".join(f"Rule {number}: say it short." for number in range(4_000))
    house = reference(900, "House style", "Dialogue without adverbs.", inclusion=InclusionPolicy.ALWAYS)
    bible = reference(901, "Bible", book, inclusion=InclusionPolicy.ALWAYS)
    material = replace(material, references=(*material.references, bible, house))
    text, _ = large_project()
    plan = judgements(text, material, model=MODEL, tokens=TOKENS)
    assert any(source.text == "Dialogue without adverbs." for source in plan.calls[0].sources)
    assert plan.calls[0].prompt_tokens <= 1.6 * TOKENS.count(text, model=MODEL)
    assert len(plan.calls[0].sources) > 5


def test_where_few_appear_there_is_more_of_each():
    text, material = large_project()
    alone = replace(material, references=material.references[:1], earlier=())
    (source,) = judgements(text, alone, model=MODEL, tokens=TOKENS).calls[0].sources
    many = judgements(text, material, model=MODEL, tokens=TOKENS).calls[0].sources
    of_many = next(one for one in many if one.source == source.source)
    assert len(source.sent) > 2 * len(of_many.sent)


def test_the_order_in_which_the_material_comes_changes_nothing():
    text, material = large_project()
    turned = replace(material, references=material.references[::-1], earlier=material.earlier[::-1])
    plans = [judgements(text, one, model=MODEL, tokens=TOKENS) for one in (material, turned, material)]
    assert len({tuple(call.messages for call in plan.calls) for plan in plans}) == 1


def test_nothing_depends_on_the_seed_of_hashes():
    code = (
        "from tests.domain.assessing.judging.chapters import plan_of\n"
        "from domain.prompting.digest import prompt_digest\n"
        "print([prompt_digest(call.messages) for call in plan_of().calls])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=CHECKOUT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
    assert len(printed.pop()) > 200


def test_a_bare_project_and_an_empty_chapter_can_be_judged():
    material = salt_road(references=(), earlier=())
    for text in ("", "\n", "Nothing."):
        plan = judgements(text, material, model=MODEL, tokens=TOKENS)
        assert [call.sources for call in plan.calls] == [()] * 4
        assert "## Material" not in plan.calls[0].messages[1].text
