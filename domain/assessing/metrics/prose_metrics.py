"""All that is measured of a text's own prose, in the order in which it is told."""

from domain.assessing.metrics.dialogue_tags import DIALOGUE_METRICS
from domain.assessing.metrics.metric import Metric
from domain.assessing.metrics.readability import READABILITY_METRICS
from domain.assessing.metrics.repetition import REPETITION_METRICS
from domain.assessing.metrics.rhythm import RHYTHM_METRICS
from domain.assessing.metrics.slop import SLOP_METRICS
from domain.assessing.metrics.telling import TELLING_METRICS

PROSE_METRICS: tuple[Metric, ...] = (
    *RHYTHM_METRICS,
    *REPETITION_METRICS,
    *READABILITY_METRICS,
    *SLOP_METRICS,
    *DIALOGUE_METRICS,
    *TELLING_METRICS,
)
