"""Phrases that come again, and how many different words there are."""

import pytest

from tests.domain.assessing.metrics.texts import filler, quotes, taken


def different(words, *, begin=0):
    """So many words that are all different, in sentences of ten."""
    letters = "abcdefghij"
    made = ["x" + "".join(letters[int(digit)] for digit in str(1000 + begin + number)) for number in range(words)]
    return " ".join(" ".join(made[at : at + 10]).capitalize() + "." for at in range(0, words, 10))


def test_words_that_are_all_different_have_a_ratio_of_one():
    assert taken("mattr500", different(600)).value == 1


def test_one_word_over_and_over_has_hardly_any():
    assert taken("mattr500", "word " * 600).value == pytest.approx(1 / 500)


def test_the_ratio_is_the_mean_over_all_windows():
    # 500 different words, then the first of them once more: both windows hold 500 different words.
    first = different(500)
    assert taken("mattr500", f"{first} {first.split()[0]}").value == 1
    # And once more a word that is still in the window: 499 of 500 in the second of two.
    assert taken("mattr500", f"{first} {first.split()[9]}").value == pytest.approx((500 + 499) / 1000)


def test_a_shorter_text_is_one_window():
    assert taken("mattr500", "one two three four " * 60).value == pytest.approx(4 / 240)


def test_a_phrase_that_comes_again_counts_for_each_time():
    text = f"{different(100)} Brass compass. {different(100, begin=100)} Brass compass. {different(94, begin=200)} Brass compass."
    assert taken("repetition", text).value == pytest.approx(1000 * 2 / 300)


def test_nothing_that_comes_again_is_no_repetition():
    assert taken("repetition", different(300)).value == 0


def test_a_phrase_that_comes_again_late_does_not_count():
    text = f"{different(100)} Brass compass. {different(2100, begin=100)} Brass compass."
    assert taken("repetition", text).value == 0


def test_a_phrase_that_is_common_in_english_counts_for_less():
    def with_phrase(phrase):
        return f"{different(150)} {phrase}. {different(150, begin=150)} {phrase}."

    rare, common = (taken("repetition", with_phrase(phrase)).value for phrase in ("yellow man", "young man"))
    assert 0 < common < rare


def test_little_words_and_names_make_no_phrases():
    sentence = "And then there was Mary Ellen Smith, of whom they had all been so very much afraid."
    assert taken("repetition", f"{different(300)} {sentence} {sentence}").value == 0


def test_somebody_who_is_called_by_a_phrase_does_not_repeat_it():
    called = f"{different(300)} {'The tin soldier stood. ' * 4}"
    assert quotes("repetition", called) == ["soldier stood"]
    assert "tin soldier" in quotes("repetition", called.replace("The", "Our"))


def test_a_sentence_s_end_parts_a_phrase():
    text = f"{different(150)} Xa brass. Compass xa. {different(150, begin=150)} Xb brass. Compass xb."
    assert taken("repetition", text).value == 0


def test_a_phrase_of_three_is_pointed_at_where_it_comes_soonest():
    parts = [different(100), different(200, begin=100), different(30, begin=300), different(50, begin=330)]
    text = " He folded his map. ".join([*parts, ""])
    finding = next(each for each in taken("repetition", text).findings)
    assert finding.quote == "folded his map"
    places = [at for at in range(len(text)) if text.startswith(finding.quote, at)]
    assert finding.start == places[2]
    assert finding.message == "“folded his map” stands 4 times in this text."


@pytest.mark.parametrize(("times", "words", "severity"), [(6, 1000, "NOTE"), (7, 1000, "MINOR"), (7, 4000, "NOTE")])
def test_a_phrase_that_comes_far_too_often_is_more_than_a_note(times, words, severity):
    parts = [different(words // times // 10 * 10, begin=number * 1000) for number in range(times)]
    (finding,) = taken("repetition", " Brass compass. ".join([*parts, ""])).findings
    assert (finding.quote, finding.severity) == ("Brass compass", severity)


def test_a_sound_that_is_made_twice_is_no_phrase():
    assert taken("repetition", f"{different(300)} {'Clatter, clatter. ' * 9}").value == 0


def test_in_other_languages_a_phrase_is_weighed_against_its_own_words():
    # "Rauch steigt" is expected once in as many words as the product of its words' shares says, which here is often.
    rare = f"{different(1000)} Alter Kompass. {different(100, begin=1000)} Alter Kompass."
    assert taken("repetition", rare, language="de").value == pytest.approx(1000 * (1 - 2000 * (2 / 1104) ** 2) / 1104)
    assert taken("repetition", filler(400), language="nl").value < taken("repetition", filler(400)).value


@pytest.mark.parametrize("name", ["repetition", "mattr500"])
def test_too_little_text_says_nothing(name):
    assert taken(name, different(190)) is None
