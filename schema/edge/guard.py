"""Everything that is checked before and around the execution of a document, as one Strawberry extension."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from copy import copy
from dataclasses import dataclass

import strawberry
from graphql import DocumentNode, GraphQLError, specified_rules, validate
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types.execution import ExecutionContext, ParseOptions
from strawberry.types.graphql import OperationType

from schema.edge.complexity import Complexity, measure, refuse_if_too_complex
from schema.edge.errors import ErrorCode, RequestError, unauthenticated
from schema.edge.execution import TidyExecutor
from schema.edge.limits import Limits

_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
_INTROSPECTION = frozenset({"__schema", "__type", "__typename"})


@dataclass(frozen=True, slots=True)
class ValidDocument:
    syntax: DocumentNode
    size: Complexity


class ValidDocuments:
    """The most recently used documents that passed every check, by their source text.

    Strawberry's own two caches are not used: one lets syntax errors escape from a stream unanswered, the other
    never hits together with limits, because those are a new rule class for each request.
    """

    def __init__(self, *, most_characters: int) -> None:
        self._documents: OrderedDict[str, ValidDocument] = OrderedDict()
        self._room = most_characters

    def find(self, source: str) -> ValidDocument | None:
        document = self._documents.get(source)
        if document:
            self._documents.move_to_end(source)
        return document

    def keep(self, source: str, document: ValidDocument) -> None:
        if source in self._documents:
            return
        self._documents[source] = document
        self._room -= len(source)
        while self._room < 0:
            forgotten, _ = self._documents.popitem(last=False)
            self._room += len(forgotten)


class Guard(SchemaExtension):
    """One instance per operation. A context of None stands for a client without a token."""

    def __init__(self, documents: ValidDocuments, *, limits: Limits, development: bool) -> None:
        super().__init__()
        self._documents = documents
        self._limits = limits
        self._development = development
        self._known: ValidDocument | None = None

    def on_parse(self) -> Iterator[None]:
        execution = self.execution_context
        # `max_source_length` is missing from Strawberry's type, not from the parser these options are handed to.
        execution.parse_options = ParseOptions(max_tokens=self._limits.tokens, max_source_length=self._limits.characters)  # type: ignore[typeddict-unknown-key]
        # Parsing itself is left to Strawberry: an exception raised in this hook would end a stream without an answer.
        self._known = self._documents.find(execution.query or "")
        if self._known:
            execution.graphql_document = self._known.syntax
        yield

    def on_validate(self) -> Iterator[None]:
        # An empty list, unlike None, keeps Strawberry from validating again without our limits.
        self.execution_context.pre_execution_errors = self._problems()
        yield

    async def on_execute(self) -> AsyncIterator[None]:
        mutation = self.execution_context.operation_type is OperationType.MUTATION
        seconds = self._limits.mutation_seconds if mutation else self._limits.query_seconds
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise RequestError(ErrorCode.TIMEOUT, f"The operation took longer than {seconds:g} seconds.") from error

    def _problems(self) -> list[GraphQLError]:
        execution = self.execution_context
        assert execution.graphql_document is not None
        syntax = execution.graphql_document
        try:
            size = self._known.size if self._known else measure(syntax)
            if execution.context is None:
                self._refuse_without_token(size)
            if self._known:
                return []
            refuse_if_too_complex(size, self._limits)
        except RequestError as error:
            return [GraphQLError(error.message, original_error=error)]
        errors = self._violations(syntax)
        if not errors:
            self._documents.keep(execution.query or "", ValidDocument(syntax, size))
        return errors

    def _refuse_without_token(self, size: Complexity) -> None:
        # GraphiQL reads the schema before anybody could have typed a token into it.
        allowed = _INTROSPECTION if self._development else {"__typename"}
        if not size.root_names <= allowed:
            raise unauthenticated()

    def _violations(self, syntax: DocumentNode) -> list[GraphQLError]:
        errors = validate(
            self.execution_context.schema._schema,  # noqa: SLF001 - Strawberry validates here too, but passes on neither option below
            syntax,
            _RULES,
            max_errors=self._limits.validation_errors,
            hide_suggestions=not self._development,
        )
        for error in errors:
            error.extensions = {"code": ErrorCode.GRAPHQL_VALIDATION_FAILED}
        return errors


def _log_nothing(_errors: list[GraphQLError], _execution: ExecutionContext | None = None, /) -> None:
    pass


def guarded(schema: strawberry.Schema, *, limits: Limits, development: bool) -> strawberry.Schema:
    """The same schema behind the guard; the one passed in stays as it was, for printing it or for tests in process."""
    documents = ValidDocuments(most_characters=limits.cached_characters)
    behind_guard = copy(schema)
    behind_guard.extensions = (*schema.extensions, lambda: Guard(documents, limits=limits, development=development))
    behind_guard.execution_context_class = TidyExecutor
    # Strawberry would log every mistake of a client, with what they sent; our own faults are logged when they are masked.
    behind_guard.process_errors = _log_nothing  # type: ignore[method-assign,assignment]
    return behind_guard
