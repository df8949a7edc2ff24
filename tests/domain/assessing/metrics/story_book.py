"""A project to measure texts against, of which a test names only what it is about."""

from dataclasses import replace

from domain.assessing.metrics.reading import Reading
from domain.projects import PointOfView, Tense
from domain.prompting.material import PromptMaterial
from tests.domain.prompting.book import chapter, project, reference, written

MARA = "# Mara Venn\n- Eyes: green\nShe has short black hair. She is left-handed, and has two sisters."
TOBIAS = "Baker at Gullhaven. He has brown eyes and a grey beard."


def material(*, earlier=(), references=None, brief="", target=None, narrator=None, position=9, **of_project):
    sheets = (reference(11, "Mara Venn", MARA, aliases=("the pilot",)), reference(12, "Tobias Reck", TOBIAS))
    settings = {"language": "en", "point_of_view": PointOfView.THIRD_OMNISCIENT, "tense": Tense.PAST} | of_project
    return PromptMaterial(
        project=replace(project(), **settings),
        chapter=chapter(position, brief=brief, target_word_count=target, point_of_view_character=narrator),
        references=sheets if references is None else tuple(references),
        earlier=tuple(written(number, text) for number, text in enumerate(earlier, start=1)),
    )


def taken(metric, text, book=None, *, language="en"):
    return metric.take(Reading(text, language=language), book or material())


def quotes(metric, text, book=None, *, language="en"):
    measured = taken(metric, text, book, language=language)
    return [] if measured is None else [issue.quote for issue in measured.findings]
