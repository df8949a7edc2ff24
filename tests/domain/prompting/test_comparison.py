"""Two receipts compared: everything that is sent otherwise, once, as the same thing on both sides."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.prompting.comparison import compare
from domain.prompting.receipts import Decision, PromptItem, PromptReceipt, Reason, Source, SourceKind

FILES = [Source(SourceKind.REFERENCE_FILE, UUID(int=number)) for number in range(1, 4)]
VERSIONS = [Source(SourceKind.CHAPTER_VERSION, UUID(int=number)) for number in range(101, 104)]


def item(source=FILES[0], label="Mara", group="cast", *, tokens=10, reason=Reason.MENTIONED, **values):
    """Sent, unless it has no tokens."""
    given_values = {
        "decision": Decision.FULL if tokens else Decision.LEFT_OUT,
        "evidence": (),
        "score": 0.5,
        "tokens_in_full": tokens or 10,
        **values,
    }
    return PromptItem(source=source, label=label, group=group, tokens=tokens, reason=reason, **given_values)


def receipt(*items, **values):
    return replace(
        PromptReceipt(
            digest="d" * 64,
            model="gpt-4o",
            tokenizer="o200k_base",
            tokenizer_exact=True,
            token_budget=8_000,
            tokens_used=sum(one.tokens for one in items),
            stable_prefix_tokens=0,
            items=items,
        ),
        **values,
    )


def scaffolding(tokens):
    return item(None, "Headings, fences and message overhead", "scaffolding", tokens=tokens, reason=Reason.MANDATORY)


def changes(comparison):
    return (*comparison.came_in, *comparison.went_out, *comparison.longer, *comparison.shorter)


@st.composite
def items(draw):
    sent = draw(st.booleans())
    tokens = draw(st.integers(1, 4)) if sent else 0
    return item(
        draw(st.sampled_from([None, *FILES, *VERSIONS])),
        draw(st.sampled_from(["Mara", "Joren", "Chapter 3 (passage 1)", "Chapter 3 (passage 2)", "Chapter 3 (text)"])),
        draw(st.sampled_from(["cast", "earlier text", "story so far"])),
        tokens=tokens,
        decision=draw(st.sampled_from([Decision.FULL, Decision.REDUCED])) if sent else Decision.LEFT_OUT,
        reason=draw(st.sampled_from(Reason)),
        evidence=tuple(draw(st.lists(st.sampled_from(["one", "two", "three"]), unique=True, max_size=2))),
        score=draw(st.sampled_from([0.0, 0.415, 0.4151, 0.425, 1.0])),
        tokens_in_full=draw(st.integers(tokens, 5)),
    )


@st.composite
def receipts(draw):
    candidates = [*draw(st.lists(items(), max_size=8)), scaffolding(draw(st.integers(1, 9)))]
    return receipt(
        *candidates,
        token_budget=draw(st.sampled_from([500, 501, 2_000])),
        tokenizer=draw(st.sampled_from(["cl100k_base", "o200k_base"])),
        digest=draw(st.sampled_from(["d" * 64, "e" * 64])),
    )


def sent(compared):
    return Counter(one for one in compared.items if one.decision is not Decision.LEFT_OUT and one.group != "scaffolding")


def sides(found, *, swapped=False):
    return Counter((change.after, change.before) if swapped else (change.before, change.after) for change in found)


@given(receipts())
def test_a_receipt_does_not_differ_from_itself(one):
    comparison = compare(one, one)
    assert changes(comparison) == ()
    assert comparison.unchanged == sent(one).total()
    assert comparison.identical
    assert comparison.tokens == 0


@given(receipts(), receipts())
def test_everything_that_is_sent_is_accounted_for_once_and_to_the_token(before, after):
    comparison = compare(before, after)
    of_before = sent(before) - Counter(change.before for change in changes(comparison))
    of_after = sent(after) - Counter(change.after for change in changes(comparison))
    assert of_before.total() == of_after.total() == comparison.unchanged
    assert sorted(one.tokens for one in of_before.elements()) == sorted(one.tokens for one in of_after.elements())
    assert sum(change.tokens for change in changes(comparison)) == sum(one.tokens for one in sent(after).elements()) - sum(
        one.tokens for one in sent(before).elements()
    )
    assert comparison.tokens == after.tokens_used - before.tokens_used
    assert comparison.identical == (before.digest == after.digest)


@given(receipts(), receipts())
def test_a_change_is_in_the_list_that_it_belongs_to_and_says_why(before, after):
    comparison = compare(before, after)
    was, is_now = sent(before), sent(after)
    assert all(change.before not in was and change.after in is_now for change in comparison.came_in)
    assert all(change.before in was and change.after not in is_now for change in comparison.went_out)
    for found, sign in ((comparison.longer, 1), (comparison.shorter, -1)):
        assert all(change.before in was and change.after in is_now and change.tokens * sign > 0 for change in found)
    for change in changes(comparison):
        shown = change.after or change.before
        assert (change.label, change.group, change.source) == (shown.label, shown.group, shown.source)
        assert change.group != "scaffolding"
        assert change.why.strip() == change.why != ""


@given(receipts(), receipts())
def test_compared_the_other_way_round_in_is_out_and_longer_is_shorter(before, after):
    there, back = compare(before, after), compare(after, before)
    assert sides(there.came_in) == sides(back.went_out, swapped=True)
    assert sides(there.went_out) == sides(back.came_in, swapped=True)
    assert sides(there.longer) == sides(back.shorter, swapped=True)
    assert sides(there.shorter) == sides(back.longer, swapped=True)
    assert there.unchanged == back.unchanged


@given(receipts(), receipts())
def test_changes_are_in_the_order_of_the_second_receipt_and_then_of_the_first(before, after):
    comparison = compare(before, after)
    places = {id(one): place for place, one in enumerate((*after.items, *before.items))}
    for found in (comparison.came_in, comparison.went_out, comparison.longer, comparison.shorter):
        order = [places[id(change.after if change.after is not None else change.before)] for change in found]
        assert order == sorted(order)
    assert compare(before, after) == comparison


LENGTHS = st.integers(0, 3)


def rewritten_files(draw):
    for number in range(draw(st.integers(0, 4))):
        source = Source(SourceKind.REFERENCE_FILE, UUID(int=1_000 + number))
        one, other = item(source, f"File {number}", tokens=draw(LENGTHS)), item(source, f"File {number}", tokens=draw(LENGTHS))
        yield draw(
            st.sampled_from(
                [
                    (one, other),
                    (one, replace(other, label=f"Once {number}")),
                    (one, replace(other, label=f"Once {number}", group="world")),
                    (None, other),
                    (one, None),
                ]
            )
        )


def rewritten_chapters(draw):
    for number in range(draw(st.integers(0, 3))):
        version, later = (Source(SourceKind.CHAPTER_VERSION, UUID(int=base + number)) for base in (2_000, 3_000))
        heading, renamed = f"Chapter {number}, “Low water”", f"Chapter {number}, “High water”"
        source, title = draw(st.sampled_from([(version, heading), (version, renamed), (later, heading)]))

        before, after = (draw(st.frozensets(st.integers(1, 5), max_size=4)) for _ in range(2))
        for part, group, there, here in (
            ("summary", "story so far", True, True),
            ("text", "recent text", True, True),
            *((f"passage {passage}", "earlier text", passage in before, passage in after) for passage in before | after),
        ):
            one = item(version, f"{heading} ({part})", group, tokens=draw(LENGTHS))
            other = item(source, f"{title} ({part})", group, tokens=draw(LENGTHS))
            yield one if there else None, other if here else None


def fate(one, other):
    was, is_now = (0 if each is None else each.tokens for each in (one, other))
    if was == is_now:
        return "same" if was else "never sent"
    return "otherwise" if was and is_now else "in" if is_now else "out"


@st.composite
def rewritten_books(draw):
    """Two receipts of one book, and how often what became of its parts: what is the same is known by construction."""
    pairs = [*rewritten_files(draw), *rewritten_chapters(draw)]
    before, after = ([pair[side] for pair in pairs if pair[side] is not None] for side in (0, 1))
    expected = Counter(fate(*pair) for pair in pairs)
    return receipt(*draw(st.permutations(before))), receipt(*draw(st.permutations(after))), expected


@given(rewritten_books())
def test_what_is_the_same_is_known_again_however_it_was_renamed_edited_or_moved(book):
    before, after, expected = book
    comparison = compare(before, after)
    found = Counter(
        {
            "in": len(comparison.came_in),
            "out": len(comparison.went_out),
            "otherwise": len(comparison.longer) + len(comparison.shorter),
            "same": comparison.unchanged,
        }
    )
    assert found == expected - Counter({"never sent": expected["never sent"]})
    for change in changes(comparison):
        if change.before and change.after and "passage" in change.label:
            assert change.before.label.split("(")[1] == change.after.label.split("(")[1]


@pytest.mark.parametrize("found", [("passage 1", "passage 2"), ("passages 1–3", "passages 4–6")])
def test_another_passage_of_the_same_version_is_another_thing_even_if_each_receipt_has_one(found):
    one, other = (item(VERSIONS[0], f"Chapter 3, “The quay” ({passage})", "earlier text") for passage in found)
    comparison = compare(receipt(one), receipt(other))
    assert [change.label for change in comparison.came_in] == [other.label]
    assert [change.label for change in comparison.went_out] == [one.label]


def test_a_file_that_looks_like_a_passage_is_known_by_its_id():
    comparison = compare(receipt(item(label="Psalms (passage 1)")), receipt(item(label="Psalms (passage 2)")))
    assert (changes(comparison), comparison.unchanged) == ((), 1)


def test_a_file_that_takes_the_name_of_another_is_not_taken_for_it():
    before = receipt(item(FILES[0], "Mara"))
    after = receipt(item(FILES[1], "Mara", tokens=12), item(FILES[0], "Mara Venn"))
    comparison = compare(before, after)
    assert [(change.source, change.before) for change in comparison.came_in] == [(FILES[1], None)]
    assert comparison.unchanged == 1


def test_files_of_one_name_are_not_taken_for_one_that_is_gone():
    before = receipt(item(FILES[0], "Notes"))
    after = receipt(item(FILES[1], "Notes"), item(FILES[2], "Notes"))
    comparison = compare(before, after)
    assert len(comparison.came_in) == 2
    assert len(comparison.went_out) == 1


def test_the_scaffolding_counts_in_the_sums_only():
    comparison = compare(receipt(item(), scaffolding(7)), receipt(item(), scaffolding(30)))
    assert (changes(comparison), comparison.unchanged, comparison.tokens) == ((), 1, 23)
