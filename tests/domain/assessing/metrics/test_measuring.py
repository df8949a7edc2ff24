"""A measurement names, places and weighs what it found, and is the same for the same text."""

import re
from pathlib import Path
from statistics import fmean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assessing.assessment import FindingSeverity
from domain.assessing.metrics.measuring import METRICS, measure
from domain.assessing.metrics.prose_metrics import PROSE_METRICS
from tests.domain.assessing.metrics.texts import filler, material

ENGLISH_ONLY = {metric.name for metric in PROSE_METRICS if metric.english_only}
BY_WORDS = {metric.name for metric in PROSE_METRICS if metric.by_words}

CHAPTERS = sorted((Path(__file__).parents[4] / "sample" / "chapters").glob("*.md"))
"""Our own small book."""

SCENE = "\n\n".join(
    [
        "The ferry was late, and by the time it had tied up at the stone quay most of those who waited had gone home to their suppers.",
        "“You might have written,” said Tom. He took the smaller of the two bags and left her the other.",
        "“I did write. Twice.”",
        "They climbed the steps. Rain had washed the lower ones green, so that she kept one hand on the chain, and thought of her feet.",
        "Nobody had mended the lamp either.",
    ]
    * 6
)


def values(measurement):
    return {metric.name: metric.value for metric in measurement.metrics}


def of_metrics_of_prose(measurement):
    return {name: value for name, value in values(measurement).items() if name in {metric.name for metric in PROSE_METRICS}}


def test_metrics_have_names_of_their_own_and_tell_a_writer_what_they_are():
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    for metric in METRICS:
        assert re.fullmatch(r"[a-z]+(?:[A-Z][a-z]+|\d+)*", metric.name)
        assert metric.description.endswith(".")
        assert metric.noise > 0


def test_a_text_is_measured_alike_twice():
    assert measure(SCENE, material()) == measure(SCENE, material())


def test_every_finding_quotes_the_text_and_names_its_metric():
    measurement = measure(SCENE, material())
    assert measurement.findings
    for finding in measurement.findings:
        assert finding.metric in values(measurement)
        if finding.start is not None:
            assert finding.quote == SCENE[finding.start : finding.end]


def test_english_metrics_come_with_what_is_typical_of_novels():
    for metric in measure(SCENE, material()).metrics:
        if metric.name in ENGLISH_ONLY | BY_WORDS:
            assert metric.typical_low is not None
            assert metric.typical_high is not None
            assert metric.typical_source


def test_other_languages_are_measured_by_what_every_language_has():
    measurement = measure(SCENE, material(language="sv"))
    assert not ENGLISH_ONLY & set(values(measurement))
    assert set(values(measurement)) >= BY_WORDS - ENGLISH_ONLY
    assert all(metric.typical_source is None for metric in measurement.metrics)
    assert [note for note in measurement.notes if "made for English" in note]
    assert not [note for note in measure(SCENE, material()).notes if "made for English" in note]


@pytest.mark.parametrize("language", ["zh", "ja-JP", "en"])
def test_a_text_without_spaces_is_not_measured_by_words(language):
    text = "她说。他走了，没有回头。「你好。」\n\n" * 40
    measurement = measure(text, material(language=language))
    assert not BY_WORDS & set(values(measurement))
    assert values(measurement)["dialogueShare"] == pytest.approx(100 * 2 / 11)
    assert [note for note in measurement.notes if "without spaces" in note]


@pytest.mark.parametrize("text", ["", " \n\n ", "***", "—", "\0\0"])
def test_a_text_without_words_is_nothing_to_measure(text):
    measurement = measure(text, material())
    assert of_metrics_of_prose(measurement) == {}
    assert measurement.score == 0
    assert measurement.notes[0] == "There is nothing to measure: the text has no words."


def test_a_few_words_are_too_little_and_it_is_said_for_what():
    measurement = measure("Go. “Now,” he said.", material())
    assert of_metrics_of_prose(measurement) == {}
    assert [note for note in measurement.notes if "mattr500" in note]


def test_the_distance_from_the_author_s_own_chapters_is_in_deviations():
    own = [{"sentenceLength": 10.0}, {"sentenceLength": 14.0}, {"sentenceLength": 18.0}, {"emDashes": 3.0}]
    by_name = {metric.name: metric for metric in measure(SCENE, material(), accepted=own).metrics}
    value = by_name["sentenceLength"].value
    assert by_name["sentenceLength"].z_score == pytest.approx((value - fmean([10, 14, 18])) / stdev([10, 14, 18]))
    assert by_name["emDashes"].z_score is None
    assert by_name["dialogueShare"].z_score is None


def test_chapters_that_happen_to_be_alike_are_taken_to_differ_by_the_noise():
    noise = next(metric.noise for metric in PROSE_METRICS if metric.name == "sentenceLength")
    measured = measure(SCENE, material(), accepted=[{"sentenceLength": 10.0}] * 3).metrics
    (sentences,) = (metric for metric in measured if metric.name == "sentenceLength")
    assert sentences.z_score == pytest.approx((sentences.value - 10) / noise)


def test_what_is_usual_is_only_a_note():
    measurement = measure(SCENE + "\n\nShe felt sad.", material())
    assert {"namedEmotions"} <= {finding.metric for finding in measurement.findings}
    assert all(finding.severity is FindingSeverity.NOTE for finding in measurement.findings if finding.metric == "namedEmotions")


def test_where_a_text_is_clearly_off_the_first_places_are_more_than_notes():
    def severities(times):
        findings = measure(f"{SCENE}\n\n{filler(800)}\n\n{'She felt sad. ' * times}", material()).findings
        return [finding.severity for finding in findings if finding.metric == "namedEmotions"]

    few, many = severities(11), severities(40)
    raised = few.count(FindingSeverity.MINOR)
    assert 3 <= raised < len(few) == 11
    assert few == [FindingSeverity.MINOR] * raised + [FindingSeverity.NOTE] * (11 - raised)
    assert many == [FindingSeverity.MINOR] * 20


@pytest.mark.parametrize(
    "damage",
    [
        "Her heart hammered against her ribs, a testament to the shimmering, palpable tapestry.",
        "It wasn't fear. It was something older. Not grief. Hunger.",
        "She felt sad. He was angry. She felt a pang of regret.",
        "She saw the door. She heard the clock. He noticed that it rained.",
        "The door was opened by the maid, the lamp was lit and was put away by her.",
        "“Go,” he opined softly. “Go,” she breathed coldly. “Go,” he hissed angrily.",
    ],
)
def test_damage_lowers_the_score_and_more_of_it_lowers_it_further(damage):
    scores = [measure("\n\n".join([SCENE, *[damage] * times, filler(160)]), material()).score for times in (0, 1, 8)]
    assert scores[0] > scores[1] > scores[2]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_decent_chapter_scores_well(path):
    measurement = measure(path.read_text(encoding="utf-8"), material())
    assert measurement.score > 85
    assert len([each for each in measurement.findings if each.severity is not FindingSeverity.NOTE]) <= 3


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "夜" * 100_000,
        "." * 100_000 + "a",
        "“" * 100_000,
        " 'a" * 33_000,
        "* " * 50_000 + "x",
        "*" + " " * 100_000 + "x",
        " \n" * 50_000 + "a",
        "a\n" * 20_000,
        "it wasn't " * 10_000,
        "no longer " * 10_000,
        "“a,” said " * 10_000,
        "\ud800a. " * 20_000,
        "שלום עולם. " * 10_000,
        "😀 a. " * 20_000,
        "\0a\0. " * 20_000,
        "हिन्दी में। " * 8_000,
        "?!…”" * 25_000 + "a",
    ],
    ids=lambda text: ascii(text[:12]),
)
@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.timeout(10)
def test_hostile_texts_are_measured_in_their_turn(text, language):
    """What is in proportion to the length takes less than half a second; what is not would take minutes."""
    measurement = measure(text, material(language=language))
    assert 0 <= measurement.score <= 100
    assert all(finding.quote == text[finding.start : finding.end] for finding in measurement.findings if finding.start is not None)


@settings(max_examples=60)
@given(st.text(alphabet=st.sampled_from("aB é.!?,\n“”‘’\"'—-*#夜。\0\ud800שا😀ि"), max_size=400), st.sampled_from(["en", "de", "ja", ""]))
def test_any_text_is_measured(text, language):
    measurement = measure(text * 4, material(language=language))
    assert 0 <= measurement.score <= 100
    for finding in measurement.findings:
        assert finding.start is None or finding.quote == (text * 4)[finding.start : finding.end]
