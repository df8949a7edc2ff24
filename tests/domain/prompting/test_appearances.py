"""Who is named where in a text: in narration or in speech, told of or spoken to."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.prompting.appearances import appearances
from domain.prompting.index.text_index import indexed
from domain.prompting.mentions import NameIndex
from tests.domain.prompting.book import file

MARA, JOREN, CLERK, MAYUMI = (UUID(int=number) for number in (1, 2, 3, 4))
NAMES = NameIndex(
    [
        file(1, "Mara Venn", aliases=("the pilot",)),
        file(2, "Joren Hale", aliases=("the clerk",)),
        file(3, "Osric", aliases=("the clerk",)),
        file(4, "真由美"),
    ],
    parts_of_names=True,
)
WIDE = "x" * 400


def found(text):
    return appearances(indexed(text), NAMES)


def spoken(text):
    (passage,) = found(text).passages
    return passage.in_speech


def test_each_passage_counts_whom_it_names_and_the_text_counts_all():
    seen = found(f"Mara went down. Mara Venn did not look back. {WIDE}\n\nThe pilot met Joren. {WIDE}")
    assert [dict(passage.named) for passage in seen.passages] == [{MARA: 2.0}, {MARA: 1.0, JOREN: 1.0}]
    assert seen.named == {MARA: 3.0, JOREN: 1.0}
    assert seen.names == {MARA: "Mara", JOREN: "Joren"}


def test_a_name_that_two_share_counts_half_for_each():
    seen = found("The clerk wrote. Osric coughed.")
    assert seen.named == {JOREN: 0.5, CLERK: 1.5}
    assert seen.passages[0].named == seen.named
    assert seen.names == {JOREN: "The clerk", CLERK: "The clerk"}


def test_what_somebody_says_is_speech_and_the_rest_is_narration():
    seen = found("Joren sat. “Mara is late,” said Joren. “Mara is always late.”")
    assert seen.named == {JOREN: 2.0, MARA: 2.0}
    assert seen.passages[0].in_speech == {MARA: 2.0}
    assert seen.narrated == len(["Joren", "sat", "said", "Joren"])


@pytest.mark.parametrize(
    "speech",
    [
        '"Mara is late"',
        "“Mara is late”",
        "„Mara ist spät“",
        "„Mara ist spät”",
        "« Mara est en retard »",
        "»Mara er sen«",
        "「Mara」",
        "『Mara』",
    ],
)
def test_quotation_marks_of_many_languages_hold_speech_and_what_follows_is_narration(speech):
    seen = found(f"Joren: {speech} Joren.")
    assert seen.passages[0].in_speech == {MARA: 1.0}
    assert seen.named[JOREN] == 2.0


@pytest.mark.parametrize(
    "line",
    [
        "“Mara, come here.”",
        "“Come here, Mara.”",
        "“Well! Mara! Come.”",
        "“Why? Mara?”",
        "“O Mara, come.”",
        '"Mara!" he called.',
        "“Mara”",
        "„Komm, Mara.“",
        "« Mara, viens. »",
        "「真由美、来て」",
        "「来て、真由美」",
    ],
)
def test_who_is_called_by_name_in_speech_is_spoken_to(line):
    assert sum(found(line).addressed.values()) == 1


@pytest.mark.parametrize("line", ["“I saw Mara, and Joren.”", "Come here, Mara, he thought.", "“Mara is late.”", "“To Mara.”"])
def test_who_is_told_of_is_not_spoken_to(line):
    assert found(line).addressed == {}


def test_a_mark_that_is_never_closed_ends_with_its_passage():
    seen = found(f"“Mara is late. Joren waits. {WIDE}\n\nJoren sat down. {WIDE}")
    assert [dict(passage.in_speech) for passage in seen.passages] == [{MARA: 1.0, JOREN: 1.0}, {}]
    assert seen.narrated == len(f"Joren sat down {WIDE}".split())
    assert spoken("Mara sat. ” Joren stood.") == {}
    assert spoken("“Mara “Joren” Mara") == {MARA: 1.0, JOREN: 1.0}


def test_names_are_found_where_words_are_not_spaced():
    seen = found("真由美は港へ行った。「真由美はどこだ」と彼は言った。")
    assert seen.named == {MAYUMI: 2.0}
    assert seen.passages[0].in_speech == {MAYUMI: 1.0}


def test_who_says_i_is_counted_in_narration_only():
    seen = found("I went down, and my hand shook. “I know,” said Mara. “My mistake.” It was mine.")
    assert seen.first_person == 3
    assert found("“I, me, my.”").first_person == 0
    assert found("In the inn it was dim.").first_person == 0


def test_nothing_names_nobody():
    seen = found("")
    assert (seen.passages, seen.named, seen.addressed, seen.first_person, seen.narrated) == ([], {}, {}, 0, 0)


@given(
    st.lists(st.sampled_from(["Mara", "the clerk", "真由美", '"', "“", "”", "„", "«", "»", "「", "」", ", ", ". ", "\n\n", "I", " "])).map(
        "".join
    )
)
def test_the_parts_add_up_to_the_whole(text):
    seen = found(text)
    assert len(seen.passages) == len(indexed(text).index.spans)
    for file_id, named in seen.named.items():
        assert sum(passage.named.get(file_id, 0.0) for passage in seen.passages) == pytest.approx(named)
        assert seen.addressed.get(file_id, 0.0) <= sum(passage.in_speech.get(file_id, 0.0) for passage in seen.passages) <= named
        assert seen.names[file_id] in indexed(text).text
