"""How long a chapter has become, against how long it is meant to be."""

from domain.assessing.assessment import FindingCategory, FindingSeverity, FoundIssue
from domain.assessing.metrics.metric import Better, Measured, Metric
from domain.assessing.metrics.reading import Reading
from domain.prompting.material import PromptMaterial
from domain.writing.words import count_words

SHORT, LONG, FAR_TOO_SHORT = 0.6, 1.6, 0.35


def _length_against_target(reading: Reading, material: PromptMaterial) -> Measured | None:
    target = material.chapter.target_word_count
    if not target or target < 0:
        return None
    words = count_words(reading.text)
    ratio = words / target
    return Measured(ratio, _findings(words, target, ratio))


def _findings(words: int, target: int, ratio: float) -> tuple[FoundIssue, ...]:
    if SHORT <= ratio <= LONG:
        return ()
    if ratio > LONG:
        suggestion = "Cut what the brief does not ask for, or divide the chapter."
    elif ratio < FAR_TOO_SHORT:
        suggestion = "A scene may be missing: go through the brief and write what is not there yet."
    else:
        suggestion = "Let the scenes that are only summed up happen, or lower the chapter's target."
    return (
        FoundIssue(
            category=FindingCategory.PACING,
            severity=FindingSeverity.MAJOR if ratio < FAR_TOO_SHORT else FindingSeverity.MINOR,
            message=f"The chapter has {words:,} words; it is meant to have {target:,}.",
            suggestion=suggestion,
            metric="lengthAgainstTarget",
        ),
    )


LENGTH_AGAINST_TARGET = Metric(
    name="lengthAgainstTarget",
    unit="ratio",
    description="The chapter's words, divided by the words it is meant to have.",
    better=Better.TYPICAL,
    noise=0.1,
    take=_length_against_target,
)
