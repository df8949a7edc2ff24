"""Texts to measure, and single metrics to measure them by."""

from domain.assessing.metrics.prose_metrics import PROSE_METRICS
from domain.assessing.metrics.reading import Reading
from domain.prompting.material import PromptMaterial
from tests.domain.prompting.book import chapter, project


def material(**changes):
    """A project of which nothing is known but what `changes` say."""
    return PromptMaterial(project=project(**changes), chapter=chapter(1), references=(), earlier=())


def taken(name, text, *, language="en"):
    """What one metric of prose says of the text."""
    metric = next(each for each in PROSE_METRICS if each.name == name)
    measured = metric.take(Reading(text, language=language), material(language=language))
    if measured is not None:
        assert all(finding.quote == text[finding.start : finding.end] for finding in measured.findings)
    return measured


def quotes(name, text, *, language="en"):
    """What the metric points at."""
    return [finding.quote for finding in taken(name, text, language=language).findings]


def filler(words):
    """So many words in sentences of eight, on which no metric but those of rhythm has anything to say."""
    plain = ("stones", "lie", "under", "grey", "water", "near", "our", "bridge")
    sentences = [" ".join(plain[: min(8, words - begin)]).capitalize() + "." for begin in range(0, words, 8)]
    return " ".join(sentences)
