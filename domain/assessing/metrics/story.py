"""The metrics that look at a text together with its project: its earlier chapters, its cast, its brief."""

from domain.assessing.metrics.brief import BRIEF_COVERAGE
from domain.assessing.metrics.contradictions import CONTRADICTED_FACTS
from domain.assessing.metrics.filler import FILLER_PASSAGES
from domain.assessing.metrics.length import LENGTH_AGAINST_TARGET
from domain.assessing.metrics.metric import Metric
from domain.assessing.metrics.near_names import NAME_NEAR_MISSES
from domain.assessing.metrics.point_of_view import POINT_OF_VIEW_DRIFT
from domain.assessing.metrics.repeats import REPEATED_TEXT, RETELLING
from domain.assessing.metrics.tense import TENSE_DRIFT
from domain.assessing.metrics.the_dead import THE_DEAD_SPEAKING

STORY_METRICS: tuple[Metric, ...] = (
    POINT_OF_VIEW_DRIFT,
    TENSE_DRIFT,
    NAME_NEAR_MISSES,
    RETELLING,
    REPEATED_TEXT,
    LENGTH_AGAINST_TARGET,
    BRIEF_COVERAGE,
    CONTRADICTED_FACTS,
    THE_DEAD_SPEAKING,
    FILLER_PASSAGES,
)
