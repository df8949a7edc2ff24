"""Which model answers: the project's choice, as far as this server offers it, or the server's own."""

from domain.projects import GenerationSettings
from resolvers.context import RequestContext


def writing_model(context: RequestContext, settings: GenerationSettings) -> str:
    return _offered(context, settings.model) or context.default_model


def judging_model(context: RequestContext, settings: GenerationSettings) -> str:
    return _offered(context, settings.assessor_model) or _offered(context, context.default_assessor_model) or context.default_model


def _offered(context: RequestContext, model: str) -> str | None:
    """A project may have been given its model, or the server its judge, for when others answer: a rehearsal must not go by their names."""
    return model if model and context.models.find(model) else None
