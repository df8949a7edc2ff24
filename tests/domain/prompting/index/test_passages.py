from hypothesis import given
from hypothesis import strategies as st

from domain.prompting.index.passages import LEAST_CHARACTERS, LONGEST_PARAGRAPH, MOST_CHARACTERS, passages, sentences

TEXTS = st.text(alphabet=st.sampled_from("ab .!?\n#。「」\u0301é🜁-"), max_size=4_000)


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
