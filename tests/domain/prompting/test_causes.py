"""Why something is sent otherwise: said in words that the two receipts bear out."""

import re
from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import PromptTooSmall
from domain.llm.tokens import TokenCounter
from domain.prompting.comparison import compare
from domain.prompting.index.text_index import indexed
from domain.prompting.optimizer import build_prompt
from domain.prompting.receipts import Decision, PromptItem, PromptReceipt, Reason, Source, SourceKind
from domain.reference_files import InclusionPolicy
from tests.domain.prompting.book import reference, salt_road, wish, written

TOKENS = TokenCounter()
FILE = Source(SourceKind.REFERENCE_FILE, UUID(int=1))
VERSION, LATER = (Source(SourceKind.CHAPTER_VERSION, UUID(int=number)) for number in (2, 3))
OUT = {"decision": Decision.LEFT_OUT, "tokens": 0}
PART = {"decision": Decision.REDUCED, "tokens": 40}


def item(**values):
    """A character who is sent in full, with 100 tokens."""
    sheet = {
        "source": FILE,
        "label": "Mara",
        "group": "cast",
        "decision": Decision.FULL,
        "reason": Reason.MENTIONED,
        "evidence": ('"Mara" in the brief',),
        "score": 0.5,
        "tokens": 100,
        "tokens_in_full": 100,
    }
    return PromptItem(**{**sheet, **values})


def brief(tokens):
    return item(
        source=None, label="Brief", group="brief", reason=Reason.MANDATORY, evidence=(), score=1.0, tokens=tokens, tokens_in_full=tokens
    )


def joren(**values):
    return item(source=Source(SourceKind.REFERENCE_FILE, UUID(int=9)), label="Joren", **values)


def receipt(*items, **values):
    return PromptReceipt(
        **{
            "digest": "d" * 64,
            "model": "gpt-4o",
            "tokenizer": "o200k_base",
            "tokenizer_exact": True,
            "token_budget": 8_000,
            "tokens_used": sum(one.tokens for one in items),
            "stable_prefix_tokens": 0,
            "items": items,
            **values,
        }
    )


def why(before, after, *, others=((), ()), before_has=None, after_has=None):
    """Of the only change to the item, in receipts that have these others."""
    first = receipt(*filter(None, [before]), *others[0], **(before_has or {}))
    second = receipt(*filter(None, [after]), *others[1], **(after_has or {}))
    comparison = compare(first, second)
    changes = (*comparison.came_in, *comparison.went_out, *comparison.longer, *comparison.shorter)
    (told,) = (change.why for change in changes if change.label == (after or before).label)
    return told


NO_ROOM = {**OUT, "reason": Reason.NO_ROOM}
UNCONNECTED = {**OUT, "reason": Reason.NOT_RELEVANT, "evidence": (), "score": 0.0}
NEVER = {**OUT, "reason": Reason.NEVER, "evidence": ("its inclusion policy is never",), "score": 0.0, "tokens_in_full": 90}
HIDDEN = {**OUT, "reason": Reason.HIDDEN_BY_STORY_TIME, "evidence": ("known from chapter 9",), "score": 0.0}
EXCLUDED = {**OUT, "reason": Reason.EXCLUDED, "evidence": ("excluded by the request",), "score": 0.0}
DUPLICATE = {**OUT, "reason": Reason.DUPLICATE, "evidence": ("the same text as “Mara the Elder”",), "score": 0.0}
EMPTY = {**OUT, "reason": Reason.EMPTY, "evidence": ("the file has no text",), "score": 0.0}
ALWAYS = {"reason": Reason.ALWAYS, "evidence": ("its inclusion policy is always",), "score": 1.0}
PINNED = {"reason": Reason.PINNED, "evidence": ("asked for by the request", '"Mara" in the brief'), "score": 1.0}
TAIL = '"Mara" in the previous chapter\'s end'


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (UNCONNECTED, {}, 'new evidence: "Mara" in the brief; its score rose from 0.00 to 0.50'),
        (NO_ROOM, {"evidence": ('"Mara" in the brief', TAIL), "score": 0.71}, f"new evidence: {TAIL}; its score rose from 0.50 to 0.71"),
        ({"score": 0.71, "evidence": (TAIL,)}, UNCONNECTED, f"no longer in evidence: {TAIL}; its score fell from 0.71 to 0.00"),
        (NO_ROOM, {"score": 0.5015}, "its score rose from 0.500 to 0.501"),
        (NEVER, {}, "its inclusion policy was never"),
        ({}, NEVER, "its inclusion policy is never"),
        (NEVER, ALWAYS, "its inclusion policy was never; its inclusion policy is always"),
        (HIDDEN, {}, "it was hidden by story time (known from chapter 9)"),
        ({}, HIDDEN, "it is hidden by story time (known from chapter 9)"),
        (EXCLUDED, {}, "the request excluded it"),
        ({}, EXCLUDED, "the request excludes it"),
        (PINNED, EXCLUDED, "the request asked for it; the request excludes it"),
        (DUPLICATE, {}, "it was a duplicate (the same text as “Mara the Elder”)"),
        ({}, DUPLICATE, "it is a duplicate (the same text as “Mara the Elder”)"),
        (EMPTY, {}, "it was empty"),
        ({}, EMPTY, "it is empty"),
        (NO_ROOM, PINNED, "the request asks for it"),
        (UNCONNECTED, ALWAYS, "its inclusion policy is always"),
        (PINNED, UNCONNECTED, 'the request asked for it; no longer in evidence: "Mara" in the brief'),
        (ALWAYS, NO_ROOM, "its inclusion policy was always"),
        (PART, PINNED, "the request asks for it"),
        (NO_ROOM, {"tokens": 30, "tokens_in_full": 30}, "its text changed (100 -> 30 tokens in full)"),
        ({}, {**NO_ROOM, "tokens_in_full": 4_200}, "its text changed (100 -> 4,200 tokens in full)"),
        ({}, {"tokens": 310, "tokens_in_full": 310}, "its text changed (100 -> 310 tokens in full)"),
        ({}, {"label": "Mara Venn", "tokens": 102, "tokens_in_full": 102}, "its name or text changed (100 -> 102 tokens in full)"),
        (PART, {**PART, "tokens": 55}, "other parts of it matter now"),
        # Nothing tells why, and so no more is said than what is so.
        ({**UNCONNECTED, "score": 0.5}, {"evidence": ()}, "nothing connected it to the chapter"),
        ({"evidence": ()}, {**UNCONNECTED, "score": 0.5}, "nothing connects it to the chapter"),
        (NO_ROOM, {}, "there is room for it now: its score is unchanged, more room is left"),
        (PART, {}, "there is room for more of it now: its score is unchanged, more room is left"),
        ({}, PART, "cut short: its score is unchanged, less room is left"),
    ],
)
def test_what_became_of_the_item_itself_is_the_cause(before, after, told):
    assert why(item(**before), item(**after)) == told


@pytest.mark.parametrize(
    ("values", "arrives", "leaves"),
    [
        ({}, 'it is new; evidence: "Mara" in the brief', "it no longer exists"),
        (PINNED, 'it is new; the request asks for it; evidence: "Mara" in the brief', "it no longer exists"),
        (
            {"source": VERSION, "label": "Chapter 3 (passage 4)", "evidence": ("its words are those of the brief",)},
            "it was not a candidate before; evidence: its words are those of the brief",
            "it is no longer a candidate",
        ),
        ({"source": None, "label": "Style notes", "reason": Reason.MANDATORY, "evidence": ()}, "it is new", "it no longer exists"),
    ],
)
def test_what_only_one_receipt_knows_is_new_or_gone(values, arrives, leaves):
    assert why(None, item(**values)) == arrives
    assert why(item(**values), None) == leaves


def test_a_budget_is_a_cause_for_what_found_no_room_and_for_nothing_else():
    more = {"after_has": {"token_budget": 9_000}}
    less = {"after_has": {"token_budget": 7_999}}
    assert why(item(**NO_ROOM), item(), **more) == "the budget grew by 1,000 tokens"
    assert why(item(**PART), item(), **more) == "the budget grew by 1,000 tokens"
    assert why(item(), item(**NO_ROOM), **less) == "the budget shrank by 1 token"
    assert why(item(**NO_ROOM), item(**PINNED), **more) == "the request asks for it"
    assert why(item(**NEVER), item(), **more) == "its inclusion policy was never"
    assert why(item(), item(tokens=90, tokens_in_full=90), **less) == "its text changed (100 -> 90 tokens in full)"
    assert why(item(**NO_ROOM, score=0.4), item(), **more) == "its score rose from 0.40 to 0.50; the budget grew by 1,000 tokens"


def test_a_budget_that_moved_the_other_way_is_no_cause():
    crowded = "crowded out: its score is unchanged, others are worth more now"
    assert why(item(), item(**NO_ROOM), others=([joren(**NO_ROOM)], [joren()]), after_has={"token_budget": 9_000}) == crowded
    roomy = "there is room for it now: its score is unchanged, others take less now"
    assert why(item(**NO_ROOM), item(), others=([joren()], [joren(**NO_ROOM)]), after_has={"token_budget": 7_000}) == roomy


def test_what_must_be_sent_can_take_more_than_the_budget_gave():
    told = why(item(), item(**NO_ROOM), others=([brief(10)], [brief(1_210)]), after_has={"token_budget": 9_000})
    assert told == "crowded out: its score is unchanged, what must be sent takes 1,200 tokens more"
    swapped = ([brief(10), joren()], [brief(1_210), joren(**NO_ROOM)])
    told = why(item(**NO_ROOM), item(), others=swapped, after_has={"token_budget": 9_000})
    assert told == "there is room for it now: its score is unchanged, others take less now"
    told = why(item(**PART), item(), others=([brief(1_210)], [brief(10)]))
    assert told == "there is room for more of it now: its score is unchanged, what must be sent takes 1,200 tokens less"


def test_a_score_that_moved_against_the_change_is_told_as_such():
    told = why(item(score=0.42), item(**NO_ROOM, score=0.71), others=([], [joren()]))
    assert told == "crowded out: others are worth more now, although its score rose from 0.42 to 0.71"


def test_evidence_that_moved_against_the_change_is_no_cause():
    assert "evidence" not in why(item(), item(**NO_ROOM, evidence=('"Mara" in the brief', TAIL)))
    assert "evidence" not in why(item(**NO_ROOM, evidence=('"Mara" in the brief', TAIL)), item())


def test_lengths_that_two_tokenizers_counted_do_not_tell_that_a_text_changed():
    other = {"after_has": {"tokenizer": "cl100k_base"}}
    told = "tokens are counted by cl100k_base instead of o200k_base"
    assert why(item(), item(tokens=110, tokens_in_full=110), **other) == told
    assert why(item(), item(**NO_ROOM, tokens_in_full=110), **other) == told
    assert why(item(**NEVER), item(), **other) == "its inclusion policy was never"


def test_a_version_never_changes_and_another_one_may():
    text = {"label": "Chapter 2 (text)", "group": "recent text", "reason": Reason.RECENT, "evidence": ("the previous chapter",)}
    before = item(source=VERSION, **text)
    assert why(before, item(source=VERSION, **text | {"tokens": 104, "tokens_in_full": 104})) == (
        "it is set out differently (100 -> 104 tokens in full)"
    )
    assert (
        why(before, item(source=LATER, **text | {"tokens": 104, "tokens_in_full": 104})) == "its text changed (100 -> 104 tokens in full)"
    )
    assert why(before, item(source=LATER, **text | NO_ROOM)) == "crowded out: its score is unchanged, less room is left"
    summary = {"label": "Chapter 2 (summary)", "group": "story so far", "reason": Reason.RECENT}
    longer = summary | {"tokens": 104, "tokens_in_full": 104}
    assert why(item(source=VERSION, **summary), item(source=VERSION, **longer)) == "its text changed (100 -> 104 tokens in full)"


def told(before, after):
    """By label and group, for prompts that were really built."""
    comparison = compare(before.receipt, after.receipt)
    changes = (*comparison.came_in, *comparison.went_out, *comparison.longer, *comparison.shorter)
    return {(change.label, change.group): change.why for change in changes}


def build(material=None, **wanted):
    return build_prompt(material or salt_road(), wish(**wanted), tokens=TOKENS)


def changed(material, name, **values):
    """The material with a file's text or properties changed."""
    content = values.pop("content", None)
    if content is not None:
        values["sha256"] = sha256(content.encode()).hexdigest()
    references = tuple(
        replace(one, file=replace(one.file, **values), content=one.content if content is None else indexed(content))
        if one.file.name == name
        else one
        for one in material.references
    )
    return replace(material, references=references)


def test_another_brief_brings_in_whom_it_names():
    found = told(build(), build(brief="Mara and Joren speak of the Winters of the 1690s."))
    winters = found["Winters of the 1690s", "research"]
    assert winters.startswith('new evidence: "Winters of the 1690s" in the brief; its score rose from 0.00 to ')
    assert "its text changed" in found["Brief", "brief"]


def test_what_the_author_changes_is_what_is_told():
    plain = build()
    road = salt_road()
    never = told(plain, build(changed(road, "Joren Hale", inclusion=InclusionPolicy.NEVER)))
    assert never["Joren Hale", "cast"] == "its inclusion policy is never"
    hidden = told(plain, build(changed(road, "Joren Hale", valid_from_chapter=9)))
    assert hidden["Joren Hale", "cast"] == "it is hidden by story time (known from chapter 9)"
    gone = told(plain, build(replace(road, references=tuple(one for one in road.references if one.file.name != "Joren Hale"))))
    assert gone["Joren Hale", "cast"] == "it no longer exists"
    edited = told(plain, build(changed(road, "Joren Hale", content="A clerk.")))
    assert re.fullmatch(r"its text changed \(\d+ -> \d+ tokens in full\)", edited["Joren Hale", "cast"])
    new = told(plain, build(replace(road, references=(*road.references, reference(99, "Dusk", "The hour of smugglers.")))))
    assert new["Dusk", "cast"] == 'it is new; evidence: "dusk" in the brief'
    pinned = told(plain, build(include=(UUID(int=16),)))
    assert pinned["Winters of the 1690s", "research"] == "the request asks for it"


def test_an_edited_chapter_is_the_same_chapter():
    road = salt_road()
    first, *rest = road.earlier
    edited = replace(first, version_id=UUID(int=7_777), content=indexed(f"{first.content.text}\n\nThe bell stopped."))
    found = told(build(), build(replace(road, earlier=(edited, *rest))))
    duplicate = "it was a duplicate (says the same as Chapter 1, “Fog” (passage 2))"
    assert found == {("Chapter 1, “Fog” (passage 3)", "earlier text"): duplicate}


@settings(max_examples=25, deadline=None)
@given(st.integers(450, 3_000), st.integers(1, 2_000))
def test_a_larger_budget_is_the_only_cause_of_what_it_brings_in(budget, more):
    road = salt_road(earlier=tuple(written(position, "The fog came in over the bar. " * 150) for position in (1, 2)))
    try:
        before = build_prompt(road, wish(budget), tokens=TOKENS)
    except PromptTooSmall:
        return
    after = build_prompt(road, wish(budget + more), tokens=TOKENS)
    comparison = compare(before.receipt, after.receipt)
    grew = f"the budget grew by {more:,} token{'' if more == 1 else 's'}"
    assert {change.why for change in (*comparison.came_in, *comparison.longer)} <= {grew}
    swapped = {change.why for change in (*comparison.went_out, *comparison.shorter)}
    assert swapped <= {
        "crowded out: its score is unchanged, others are worth more now",
        "cut short: its score is unchanged, others are worth more now",
    }
