"""What a client is told when something goes wrong: a code from the closed list, and never our internals."""

import logging
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

from graphql import ArgumentNode, GraphQLError, GraphQLSyntaxError, ValueNode
from strawberry.exceptions import StrawberryInputCoercionError

from schema.edge.errors import ErrorCode, RequestError
from schema.edge.wording import as_json_words
from schema.execution.executing import Outcome

logger = logging.getLogger(__name__)

# Messages may quote what the client sent, and that may be a whole chapter.
_LONGEST_MESSAGE = 500
_SUGGESTION = re.compile(r"\s*Did you mean .*", re.DOTALL)


class Reply(TypedDict, total=False):
    """A GraphQL response. `data` is absent when the operation was refused before it ran."""

    data: dict[str, object] | None
    errors: list[dict[str, object]]
    extensions: Mapping[str, object]


class ErrorPresenter:
    """Turns results and exceptions into replies; the only way an error leaves the server.

    `explain` may translate an exception of the layers below into a RequestError; None leaves it masked.
    """

    def __init__(
        self,
        *,
        development: bool,
        explain: Callable[[BaseException], RequestError | None] = lambda _: None,
        new_trace_id: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._development = development
        self._explain = explain
        self._new_trace_id = new_trace_id

    def reply_to(self, outcome: Outcome) -> Reply:
        reply = Reply(data=outcome.data)
        if outcome.errors:
            reply["errors"] = self._presented(outcome.errors)
        return reply

    def reply_to_errors(self, errors: Sequence[GraphQLError]) -> Reply:
        """The answer to a request that was refused before it was executed."""
        return Reply(errors=self._presented(errors))

    def reply_to_failure(self, error: Exception) -> Reply:
        """The answer to an exception that ended the request outside GraphQL execution."""
        return self.reply_to_errors([GraphQLError(str(error), original_error=error)])

    def _presented(self, errors: Sequence[GraphQLError]) -> list[dict[str, object]]:
        trace_ids: dict[int, str] = {}
        return [self._present(error, trace_ids) for error in errors]

    def _present(self, error: GraphQLError, trace_ids: dict[int, str]) -> dict[str, object]:
        """`trace_ids` are those of this reply's causes: what failed for a whole list is one accident."""
        cause = _cause(error)
        request_error = cause if isinstance(cause, RequestError) else self._explain(cause)
        extensions: dict[str, object] = {}
        if request_error:
            code, message = request_error.code, request_error.message
        elif code_of_error := _code(error, cause):
            code, message = code_of_error, self._worded(error.message)
        else:
            code, message = ErrorCode.INTERNAL_SERVER_ERROR, "Something went wrong on our side."
            if id(cause) not in trace_ids:
                trace_ids[id(cause)] = self._new_trace_id()
                logger.error("graphql.internal_error", extra={"trace_id": trace_ids[id(cause)], "path": error.path}, exc_info=cause)
            extensions["traceId"] = trace_ids[id(cause)]
        return {**error.formatted, "message": message, "extensions": {"code": code.value, **extensions}}

    def _worded(self, message: str) -> str:
        if not self._development:
            # Variable coercion has no switch for suggestions that Strawberry would let us reach.
            message = _SUGGESTION.sub("", message)
        return as_json_words(message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}…")


def _cause(error: GraphQLError) -> Exception:
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _code(error: GraphQLError, cause: Exception) -> ErrorCode | None:
    """None when the error says nothing about the request and is therefore our fault."""
    if isinstance(error, GraphQLSyntaxError):
        # The parser reports its limits on tokens and length as syntax errors that end this way.
        return ErrorCode.QUERY_TOO_COMPLEX if error.message.endswith("Parsing aborted.") else ErrorCode.GRAPHQL_PARSE_FAILED
    named = (error.extensions or {}).get("code")
    if isinstance(named, str) and named in ErrorCode.__members__:
        return ErrorCode(named)
    if isinstance(cause, StrawberryInputCoercionError) or _blames_the_input(error, cause):
        return ErrorCode.BAD_USER_INPUT
    return None


def _blames_the_input(error: GraphQLError, cause: Exception) -> bool:
    if error.path is None:
        # Coercing variables; an exception of ours has a cause that is no GraphQL error, and points at no node.
        return bool(error.nodes) or isinstance(cause, GraphQLError)
    # Coercing arguments points at the argument; coercing a resolver's result points at the field.
    return isinstance(cause, GraphQLError) and any(isinstance(node, ValueNode | ArgumentNode) for node in error.nodes or ())
