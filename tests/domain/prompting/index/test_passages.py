import random
import time

from hypothesis import given
from hypothesis import strategies as st

from domain.prompting.index.passages import LEAST_CHARACTERS, LONGEST_PARAGRAPH, MOST_CHARACTERS, passages, sentences

RUNS = st.sampled_from(["a" * 300, "a." * 400, " " * 900, " " * 2_500, "\n", "\n\n", "# "])
TEXTS = st.text(alphabet=st.sampled_from("ab .!?\n#。「」\u0301é🜁-"), max_size=4_000) | st.lists(RUNS, max_size=8).map("".join)


@given(TEXTS)
def test_passages_hold_everything_but_the_white_space_between_them_in_order(text):
    reached = 0
    for start, end in passages(text):
        assert not text[reached:start].strip()
        assert reached <= start < end
        assert not text[start].isspace()
        assert not text[end - 1].isspace()
        reached = end
    assert not text[reached:].strip()


@given(TEXTS)
def test_the_sentences_of_a_passage_are_all_of_it(text):
    for span in passages(text):
        found = list(sentences(text, span))
        assert "".join("".join(text[start:end].split()) for start, end in found) == "".join(text[span[0] : span[1]].split())


def test_a_long_paragraph_is_cut_where_a_sentence_ends():
    paragraph = " ".join(f"Sentence number {number} is here." for number in range(100))
    found = passages(paragraph)
    assert len(found) > 1
    assert all(end - start <= LONGEST_PARAGRAPH for start, end in found)
    assert all(paragraph[end - 1] == "." for _, end in found)


def test_short_lines_of_dialogue_are_joined():
    text = "“Yes.”\n\n“No.”\n\n“Perhaps.”"
    assert passages(text) == ((0, len(text)),)


def test_long_paragraphs_stand_alone():
    paragraph = "x" * LEAST_CHARACTERS
    assert len(passages(f"{paragraph}\n\n{paragraph}")) == 2


def test_a_heading_begins_a_passage_and_stays_with_what_stands_below():
    long = "y " * 500
    text = f"Short.\n\n## The quay\n\n{long.strip()}\n\n## The mill\n\nShort."
    assert [text[start:end].split("\n", maxsplit=1)[0] for start, end in passages(text)] == ["Short.", "## The quay", "## The mill"]


def test_text_without_any_border_is_cut_all_the_same():
    assert [end - start for start, end in passages("x" * (LONGEST_PARAGRAPH + 5))] == [
        MOST_CHARACTERS,
        LONGEST_PARAGRAPH + 5 - MOST_CHARACTERS,
    ]


def test_points_without_end_are_cut_into_sentences_in_no_time():
    points = "." * 20_000 + "x"
    began = time.process_time()
    assert list(sentences(points, (0, len(points)))) == [(0, len(points))]
    assert time.process_time() - began < 0.5  # measured at 0.001; it was 2.8 when every point was a beginning


def test_several_points_end_one_sentence():
    text = "He left... She stayed?! “No.”  Yes."
    assert [text[start:end] for start, end in sentences(text, (0, len(text)))] == ["He left...", "She stayed?!", "“No.”", "Yes."]


def test_white_space_wider_than_a_passage_makes_none_that_ends_before_it_begins():
    chance = random.Random(1)
    parts = ["a" * 400, "b" * 700, " " * 1_600, " " * 2_900, ".\n"]
    for _ in range(300):
        text = "".join(chance.choices(parts, k=6)).strip()
        assert all(start < end and text[start:end] == text[start:end].strip() for start, end in passages(text))
