"""Running one operation for one viewer, however it arrived."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeVar

import strawberry
from graphql import OperationDefinitionNode
from graphql.execution.values import VariableValues, get_variable_values
from strawberry.types.graphql import OperationType

from schema.edge.allowance import Standing
from schema.edge.complexity import Complexity
from schema.edge.documents import Documents, InvalidDocument
from schema.edge.errors import ErrorCode, RequestError, unauthenticated
from schema.edge.limits import Limits
from schema.edge.masking import ErrorPresenter, Reply
from schema.edge.metering import Charge, Meter
from schema.edge.operation_request import OperationRequest
from schema.execution.executing import Outcome, execute, source_of
from schema.execution.plan import Selection

ViewerT = TypeVar("ViewerT")

BEHIND_THE_FIRST_SECONDS: Final = 0.01

_INTROSPECTION: Final = frozenset({"__schema", "__type", "__typename"})


class OperationTypeNotOffered(RequestError):  # noqa: N818 - a refusal is an answer, not a malfunction
    """The transport cannot carry this type of operation."""

    def __init__(self, operation_type: OperationType) -> None:
        super().__init__(ErrorCode.BAD_USER_INPUT, f"A {operation_type.value} cannot be sent this way.")
        self.operation_type = operation_type


@dataclass(frozen=True, slots=True)
class Answer:
    """`standing` is what is left of the client's allowance; None where nothing is limited, or nothing was charged.

    `retry_after` is set where it was spent: in how many seconds the same can be asked again.
    """

    reply: Reply
    standing: Standing | None = None
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that is about to be executed."""

    type: OperationType
    charge: Charge
    plan: Selection
    variables: VariableValues
    context: object


class Operations(Generic[ViewerT]):
    """`context` makes a new request context for each operation; `viewer` None stands for a client without a token.

    `identify` gives the key of a viewer's allowance; clients without a token have one by `address`.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        context: Callable[[ViewerT], object],
        identify: Callable[[ViewerT], str],
        meter: Meter,
        present: ErrorPresenter,
        limits: Limits,
        development: bool,
    ) -> None:
        self._schema = schema._schema  # noqa: SLF001 - the graphql-core schema has no public name
        self._documents = Documents(schema, limits)
        self._context = context
        self._identify = identify
        self._meter = meter
        self._present = present
        self._limits = limits
        self._development = development

    async def execute(
        self, request: OperationRequest, viewer: ViewerT | None, *, offered: Collection[OperationType], address: str = ""
    ) -> Answer:
        """Raises: RequestError, when the document has no operation that can be run this way, or may not be, or takes too long."""
        try:
            prepared = self.prepare(request, viewer, offered, address=address)
        except InvalidDocument as invalid:
            return Answer(self._present.reply_to_errors(invalid.errors))
        return self._settled(prepared, await self.outcome(prepared))

    async def stream(self, request: OperationRequest, viewer: ViewerT) -> AsyncGenerator[Reply]:
        """One reply for a query or mutation, one for each event of a subscription. Raises as `execute`, and what ends a subscription."""
        try:
            prepared = self.prepare(request, viewer, tuple(OperationType))
        except InvalidDocument as invalid:
            yield self._present.reply_to_errors(invalid.errors)
            return
        if prepared.type is not OperationType.SUBSCRIPTION:
            yield self._settled(prepared, await self.outcome(prepared)).reply
            return
        estimated = prepared.charge.requested
        async with aclosing(self.outcomes(prepared)) as all_outcomes, aclosing(_pausing_behind_the_first(all_outcomes)) as outcomes:
            async for outcome in outcomes:
                self._meter.give_back(prepared.charge.client, estimated - outcome.used)
                # The estimate was for one event. What the others use is owed.
                estimated = 0
                yield self._present.reply_to(outcome)

    def _settled(self, prepared: Prepared, outcome: Outcome) -> Answer:
        settled = self._meter.settle(prepared.charge, used=outcome.used)
        return Answer({**self._present.reply_to(outcome), "extensions": {"cost": settled.report}}, settled.standing)

    def prepare(
        self, request: OperationRequest, viewer: ViewerT | None, offered: Collection[OperationType], *, address: str = ""
    ) -> Prepared:
        """Charges the client, too. Raises: InvalidDocument; RequestError."""
        hide_suggestions = viewer is None and not self._development
        admit = self._refuse_without_token if viewer is None else _admit_all
        client = f"address {address}" if viewer is None else self._identify(viewer)
        document = self._documents.prepare(
            request.query,
            pay=partial(self._meter.pay, client),
            admit=admit,
            hide_suggestions=hide_suggestions,
            most_tokens=self._limits.anonymous_tokens if viewer is None else self._limits.tokens,
        )
        operation = document.operation(request.operation_name)
        operation_type = OperationType(operation.operation.value)
        if operation_type not in offered:
            raise OperationTypeNotOffered(operation_type)
        variables = self._variables(operation, request, hide_suggestions=hide_suggestions)
        conditions = document.conditions(variables.coerced)
        charge = self._meter.charge(client, document.cost.of(request.operation_name, variables.coerced))
        context = None if viewer is None else self._context(viewer)
        return Prepared(operation_type, charge, document.plan(operation, conditions), variables, context)

    async def outcome(self, prepared: Prepared, *, event: object = None) -> Outcome:
        """Raises: RequestError TIMEOUT."""
        seconds = self._limits.mutation_seconds if prepared.type is OperationType.MUTATION else self._limits.query_seconds
        try:
            async with asyncio.timeout(seconds):
                return await execute(prepared.plan, self._schema, variables=prepared.variables, context=prepared.context, root=event)
        except TimeoutError as error:
            raise RequestError(ErrorCode.TIMEOUT, f"The operation took longer than {seconds:g} seconds.") from error

    async def outcomes(self, prepared: Prepared) -> AsyncGenerator[Outcome]:
        """One for each event of a subscription."""
        happening = source_of(prepared.plan, self._schema, variables=prepared.variables, context=prepared.context)
        async with aclosing(happening) as events:
            async for event in events:
                yield await self.outcome(prepared, event=event)

    def _refuse_without_token(self, size: Complexity) -> None:
        # GraphiQL reads the schema before anybody could have typed a token into it.
        allowed = _INTROSPECTION if self._development else {"__typename"}
        if not size.root_names <= allowed:
            raise unauthenticated()

    def _variables(self, operation: OperationDefinitionNode, request: OperationRequest, *, hide_suggestions: bool) -> VariableValues:
        found = get_variable_values(
            self._schema,
            operation.variable_definitions or (),
            request.variables or {},
            max_errors=self._limits.validation_errors,
            hide_suggestions=hide_suggestions,
        )
        if isinstance(found, list):
            raise InvalidDocument(found)
        return found


def _admit_all(_size: Complexity) -> None:
    pass


async def _pausing_behind_the_first(outcomes: AsyncGenerator[Outcome]) -> AsyncGenerator[Outcome]:
    """A client that wants no more than the first event says so within milliseconds.

    By then the whole backlog of a log would be on its way, and the standard clients still hand on what has arrived in one piece.
    """
    now = asyncio.get_running_loop().time
    sent = 0
    earliest = 0.0
    async for outcome in outcomes:
        if sent == 1:
            await asyncio.sleep(max(0.0, earliest - now()))
        yield outcome
        sent += 1
        if sent == 1:
            earliest = now() + BEHIND_THE_FIRST_SECONDS
