"""Documents that may be executed: parsed, measured, checked against the schema, and planned; kept by their source text."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import strawberry
from graphql import DocumentNode, GraphQLError, GraphQLSyntaxError, OperationDefinitionNode, parse, specified_rules, validate
from graphql.validation.rules import overlapping_fields_can_be_merged
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema.edge.complexity import Complexity, measure, refuse_if_too_complex
from schema.edge.cost.model import CostModel
from schema.edge.errors import ErrorCode, RequestError
from schema.edge.limits import Limits
from schema.execution.plan import Conditions, Planner, Selection, condition_variables

_RULES: Final = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
# Comparing fields and fragments with each other is what takes longest. A tenth of the usual: half a second becomes a twentieth.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 50_000
_PLANS_KEPT: Final = 16
"""For one document; there is a plan for each operation and each outcome of its `@skip` and `@include`."""


_CHARACTERS_OF_A_FIELD: Final = 5
"""A planned field takes as much memory as so many characters of a document."""


class InvalidDocument(Exception):  # noqa: N818 - named after what the client sent
    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__(errors)
        self.errors = errors


class Document:
    """A document that has passed every check."""

    def __init__(self, schema: strawberry.Schema, syntax: DocumentNode, size: Complexity, costs: CostModel) -> None:
        self._schema = schema
        self._syntax = syntax
        self.size = size
        self.cost = costs.compile(syntax)
        self._costs = costs
        self._conditions = sorted(condition_variables(syntax))
        self._operations = [node for node in syntax.definitions if isinstance(node, OperationDefinitionNode)]
        self._plans: dict[tuple[object, ...], Selection] = {}

    @property
    def weight(self) -> int:
        """The memory it takes, in characters, beside those of its source. There is a plan for whatever is asked for once."""
        return _CHARACTERS_OF_A_FIELD * self.size.fields * max(len(self._plans), 1)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Raises: RequestError BAD_USER_INPUT."""
        named = [node for node in self._operations if name in {None, node.name.value if node.name else None}]
        if len(named) != 1:
            raise RequestError(
                ErrorCode.BAD_USER_INPUT,
                "The document has no operation of this name." if name else "`operationName` must say which operation.",
            )
        return named[0]

    def conditions(self, variables: Mapping[str, Any]) -> Conditions:
        """Of all its `@skip` and `@include`. Raises: RequestError BAD_USER_INPUT, for a null where a default hides that it must not be."""
        for name in self._conditions:
            if variables.get(name, False) is None:
                raise RequestError(ErrorCode.BAD_USER_INPUT, f"`${name}` decides what is selected, and must not be null.")
        return {name: variables.get(name, False) for name in self._conditions}

    def plan(self, operation: OperationDefinitionNode, conditions: Conditions) -> Selection:
        key = (self._operations.index(operation), *conditions.values())
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            plan = self._plans[key] = Planner(self._schema, self._syntax, conditions, self._costs.field).plan(operation)
        return plan


class Documents:
    """The most recently used documents, so that each is parsed, checked and planned once."""

    def __init__(self, schema: strawberry.Schema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._costs = CostModel(schema._schema)  # noqa: SLF001 - the graphql-core schema has no public name
        # With what they weighed when they were last asked for.
        self._kept: OrderedDict[str, tuple[Document, int]] = OrderedDict()
        self._room = limits.cached_characters

    def prepare(
        self,
        source: str,
        *,
        pay: Callable[[int], object],
        admit: Callable[[Complexity], None],
        hide_suggestions: bool,
        most_tokens: int | None = None,
    ) -> Document:
        """`pay` is asked for a point for each character of a document that has to be checked first, whatever comes of that.

        `admit` raises for what the client may not ask, before the schema is looked at: errors of validation describe that.

        Raises: InvalidDocument; RequestError QUERY_TOO_COMPLEX; what `pay` and `admit` raise.
        """
        document, _ = self._kept.get(source, (None, 0))
        if document is None:
            pay(len(source))
            syntax = self._parsed(source, most_tokens or self._limits.tokens)
            document = self._checked(syntax, admit, hide_suggestions=hide_suggestions)
        else:
            admit(document.size)
        self._keep(source, document)
        return document

    def _parsed(self, source: str, most_tokens: int) -> DocumentNode:
        try:
            return parse(source, max_tokens=most_tokens, max_source_length=self._limits.characters)
        except GraphQLSyntaxError as error:
            raise InvalidDocument([error]) from error

    def _checked(self, syntax: DocumentNode, admit: Callable[[Complexity], None], *, hide_suggestions: bool) -> Document:
        size = measure(syntax)
        admit(size)
        refuse_if_too_complex(size, self._limits)
        errors = validate(
            self._schema._schema,  # noqa: SLF001 - the graphql-core schema has no public name
            syntax,
            _RULES,
            max_errors=self._limits.validation_errors,
            hide_suggestions=hide_suggestions,
        )
        if errors:
            for violation in errors:
                violation.extensions = {"code": ErrorCode.GRAPHQL_VALIDATION_FAILED}
            raise InvalidDocument(errors)
        return Document(self._schema, syntax, size, self._costs)

    def _keep(self, source: str, document: Document) -> None:
        _, weighed = self._kept.pop(source, (document, 0))
        weight = len(source) + document.weight
        self._kept[source] = (document, weight)
        self._room -= weight - weighed
        while self._room < 0:
            _, (_, forgotten) = self._kept.popitem(last=False)
            self._room += forgotten
