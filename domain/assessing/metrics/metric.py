"""What a metric is: how it is told, what it measures, and which way is better."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from domain.assessing.assessment import FoundIssue
from domain.assessing.metrics.reading import Reading
from domain.prompting.material import PromptMaterial


class Better(Enum):
    """Which way a value may move without the text getting worse."""

    LOWER = "lower"
    HIGHER = "higher"
    TYPICAL = "typical"
    """Within the typical range all values are alike; outside, what is nearer to it is better."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A value, and the places that made it what it is and that somebody should look at, the most telling first."""

    value: float
    findings: tuple[FoundIssue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """`take` answers None where there is nothing to measure, such as a drift of tense in a project without one.

    `noise` is in the metric's unit: a change up to it says nothing about a text of chapter length. `english_only` metrics are not taken
    of texts in other languages, `by_words` metrics not of texts that are written without spaces between words. `description` is for a
    writer, who knows no statistics.
    """

    name: str
    unit: str
    description: str
    better: Better
    noise: float
    take: Callable[[Reading, PromptMaterial], Measured | None]
    english_only: bool = False
    by_words: bool = False

    @property
    def is_count(self) -> bool:
        """Whether the value counts places, however long the text is."""
        return self.unit == "places"

    def applies_to(self, reading: Reading) -> bool:
        """Whether a text in this language and script can be measured at all."""
        return (reading.english or not self.english_only) and (reading.spaced or not self.by_words)
