"""A revision is kept if it made nothing measurably worse, and the author is told what did."""

import pytest

from domain.assessing.assessment import FindingSeverity, Measurement, ProseMetric
from domain.assessing.metrics.metric import Better, Metric
from domain.assessing.preference import Preference
from domain.assessing.revising.acceptance import CHAPTER_WORDS, Acceptance, judge_revision, newly_blocking, noise_of
from tests.domain.assessing.revising.findings import conflicting, issue


def metric(name="adverb_tags", better=Better.LOWER, noise=0.5, unit="per 1,000 words"):
    return Metric(name=name, unit=unit, description="", better=better, noise=noise, take=lambda _reading, _material: None)


def measured(value, name="adverb_tags", findings=(), **typical):
    metrics = () if value is None else (ProseMetric(name=name, value=value, unit="per 1,000 words", description="", **typical),)
    return Measurement(metrics=metrics, findings=tuple(findings), score=50.0)


def judged(before, after, *metrics, new=(), preference=Preference.TIE, words=CHAPTER_WORDS):
    return judge_revision(before, after, {each.name: each for each in metrics}, list(new), preference, words=words)


KEPT = Acceptance(kept=True, reasons=())
TYPICAL = {"typical_low": 10.0, "typical_high": 20.0}


def test_what_got_worse_is_told_to_the_author():
    assert judged(measured(1.2), measured(4.1), metric()) == Acceptance(
        kept=False, reasons=("More adverb tags than before: 4.1 per 1,000 words, it was 1.2.",)
    )


@pytest.mark.parametrize(
    ("better", "before", "after", "typical", "kept"),
    [
        (Better.LOWER, 1.0, 1.5, {}, True),
        (Better.LOWER, 0.6, 1.1, {}, True),  # 0.5 and a little more in binary
        (Better.LOWER, 1.0, 1.6, {}, False),
        (Better.LOWER, 4.0, 1.0, {}, True),
        (Better.LOWER, 1.0, 1.6, {"typical_high": 3.0}, False),
        (Better.HIGHER, 1.0, 0.5, {}, True),
        (Better.HIGHER, 1.0, 0.4, {}, False),
        (Better.HIGHER, 1.0, 9.0, {}, True),
        (Better.TYPICAL, 10.0, 20.0, TYPICAL, True),
        (Better.TYPICAL, 15.0, 20.5, TYPICAL, True),
        (Better.TYPICAL, 15.0, 20.6, TYPICAL, False),
        (Better.TYPICAL, 15.0, 9.4, TYPICAL, False),
        (Better.TYPICAL, 30.0, 21.0, TYPICAL, True),
        (Better.TYPICAL, 22.0, 8.0, TYPICAL, True),
        (Better.TYPICAL, 5.0, 500.0, {}, True),
        (Better.TYPICAL, 15.0, 99.0, {"typical_low": 10.0}, True),
        (Better.TYPICAL, 15.0, 9.0, {"typical_low": 10.0}, False),
        (Better.TYPICAL, 15.0, 21.0, {"typical_high": 20.0}, False),
        (Better.LOWER, None, 9.0, {}, True),
        (Better.LOWER, 9.0, None, {}, True),
    ],
)
def test_a_value_may_move_within_its_noise_or_to_the_better(better, before, after, typical, kept):
    answer = judged(measured(before, **typical), measured(after, **typical), metric(better=better))
    assert answer.kept is kept
    assert bool(answer.reasons) is not kept


@pytest.mark.parametrize(
    ("better", "before", "after", "typical", "reason"),
    [
        (Better.HIGHER, 1.0, 0.25, {}, "Less adverb tags than before: 0.2 per 1,000 words, it was 1."),
        (
            Better.TYPICAL,
            15.0,
            1_234.0,
            TYPICAL,
            "Farther from what is typical in adverb tags than before: 1,234 per 1,000 words, it was 15; typical is 10 to 20.",
        ),
        (
            Better.TYPICAL,
            15.0,
            9.0,
            {"typical_low": 10.0},
            "Farther from what is typical in adverb tags than before: 9 per 1,000 words, it was 15; typical is at least 10.",
        ),
        (Better.LOWER, 0.501, 0.513, {}, "More adverb tags than before: 0.51 per 1,000 words, it was 0.5."),
    ],
)
def test_reasons_show_the_numbers_as_far_as_they_differ(better, before, after, typical, reason):
    made = judged(measured(before, **typical), measured(after, **typical), metric(better=better, noise=0.01))
    assert made.reasons == (reason,)


def test_metrics_without_a_say_are_passed_over():
    assert judged(measured(1.0), measured(9.0)) == KEPT
    assert judged(measured(1.0, name="other"), measured(9.0), metric()) == KEPT


def test_noise_grows_as_a_text_gets_shorter():
    assert noise_of(metric(), CHAPTER_WORDS) == noise_of(metric(), 100_000) == 0.5
    assert noise_of(metric(), CHAPTER_WORDS // 4) == pytest.approx(2.0)
    assert noise_of(metric(), 0) == noise_of(metric(), 50) == pytest.approx(0.5 * 40)
    assert not judged(measured(1.0), measured(1.9), metric()).kept
    assert judged(measured(1.0), measured(1.9), metric(), words=500) == KEPT


def test_one_more_of_what_is_counted_is_one_more_in_a_short_text_too():
    counted = metric(unit="places")
    assert noise_of(counted, 50) == noise_of(counted, CHAPTER_WORDS) == 0.5
    assert not judged(measured(0.0), measured(1.0), counted, words=50).kept


def test_a_new_blocking_finding_stands_in_the_way():
    blocking = issue("lamp", severity=FindingSeverity.BLOCKING, message="The lamp was lit in chapter two.")
    reason = "Something new stands in the way: The lamp was lit in chapter two."
    assert judged(measured(1.0), measured(1.0), new=[blocking]).reasons == (reason,)
    assert judged(measured(1.0), measured(1.0, findings=[blocking])).reasons == (reason,)
    assert judged(measured(1.0), measured(1.0, findings=[blocking]), new=[blocking]).reasons == (reason,)
    assert judged(measured(1.0, findings=[blocking]), measured(1.0, findings=[blocking])) == KEPT


def test_only_blocking_findings_that_were_not_there_are_new():
    old = issue("his blue eyes", severity=FindingSeverity.MAJOR, conflicts_with=conflicting("grey eyes"))
    same = issue("HIS *blue* eyes", "HIS *blue* eyes", severity=FindingSeverity.BLOCKING, conflicts_with=conflicting("grey  eyes"))
    other = issue("his blue eyes", severity=FindingSeverity.BLOCKING, conflicts_with=conflicting("one eye"))
    missing = issue(message="No letter.", severity=FindingSeverity.BLOCKING)
    assert newly_blocking([old], [same, other, missing, issue("lamp")]) == [other, missing]
    assert newly_blocking([missing], [issue(message="No bell.", severity=FindingSeverity.BLOCKING), missing])[0].message == "No bell."


@pytest.mark.parametrize(("preference", "kept"), [(Preference.BETTER, True), (Preference.TIE, True), (Preference.WORSE, False)])
def test_a_text_that_reads_worse_is_not_kept(preference, kept):
    answer = judged(measured(1.0), measured(1.0), metric(), preference=preference)
    assert answer.kept is kept
    assert len(answer.reasons) == (not kept)


def test_all_reasons_are_told():
    blocking = issue("lamp", severity=FindingSeverity.BLOCKING)
    assert len(judged(measured(1.0), measured(9.0), metric(), new=[blocking], preference=Preference.WORSE).reasons) == 3
