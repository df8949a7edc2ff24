"""Documents are parsed, checked and planned once, as long as there is room for them."""

from itertools import product

import pytest
import strawberry

from schema.edge.complexity import Complexity
from schema.edge.documents import Document, Documents, InvalidDocument
from schema.edge.errors import ErrorCode, RequestError
from schema.edge.limits import Limits


@strawberry.type
class Query:
    a: int = strawberry.field(resolver=lambda: 1)
    b: int = strawberry.field(resolver=lambda: 2)
    c: int = strawberry.field(resolver=lambda: 3)
    d: int = strawberry.field(resolver=lambda: 4)


SCHEMA = strawberry.Schema(Query)
SMALLEST = len("{a}") + 5
"""What a document of one field weighs."""


def admit(_size: Complexity) -> None:
    pass


def free(_points: int) -> None:
    pass


def prepare(documents: Documents, source: str, *, hide_suggestions: bool = False) -> Document:
    return documents.prepare(source, pay=free, admit=admit, hide_suggestions=hide_suggestions)


def test_a_known_document_is_neither_parsed_nor_checked_again():
    documents = Documents(SCHEMA, Limits())
    first = prepare(documents, "{ a }")
    assert prepare(documents, "{ a }") is first
    assert prepare(documents, "{  a }") is not first


def test_the_least_recently_used_documents_make_room():
    documents = Documents(SCHEMA, Limits(cached_characters=3 * SMALLEST))
    kept = {source: prepare(documents, source) for source in ("{a}", "{b}", "{c}")}
    assert prepare(documents, "{a}") is kept["{a}"]
    kept["{d}"] = prepare(documents, "{d}")
    for source in ("{a}", "{c}", "{d}"):
        assert prepare(documents, source) is kept[source]
    assert prepare(documents, "{b}") is not kept["{b}"]


def test_a_document_larger_than_the_cache_is_not_kept():
    documents = Documents(SCHEMA, Limits(cached_characters=SMALLEST))
    large = prepare(documents, "{ a }")
    assert prepare(documents, "{ a }") is not large
    small = prepare(documents, "{a}")
    assert prepare(documents, "{a}") is small


def test_plans_take_room_too():
    documents = Documents(SCHEMA, Limits(cached_characters=190))
    planned = "query($yes: Boolean!) { a @skip(if: $yes) b }"
    first, other = prepare(documents, planned), prepare(documents, f"{{a{' ' * 120}}}")
    for yes in (True, False):
        first.plan(first.operation(None), first.conditions({"yes": yes}))
    assert prepare(documents, planned) is first
    assert first.weight == 2 * 2 * 5
    assert prepare(documents, f"{{a{' ' * 120}}}") is not other


def test_no_more_than_some_plans_of_a_document_are_kept():
    names = [f"c{index}" for index in range(5)]
    fields = " ".join(f"a @skip(if: ${name})" for name in names)
    document = prepare(Documents(SCHEMA, Limits()), f"query({', '.join(f'${name}: Boolean!' for name in names)}) {{ {fields} }}")
    for outcome in product((True, False), repeat=len(names)):
        document.plan(document.operation(None), document.conditions(dict(zip(names, outcome, strict=True))))
        assert document.weight <= 16 * 5 * len(names)


def test_what_a_client_may_not_ask_is_refused_before_the_schema_is_looked_at_and_also_when_others_have_asked_it():
    documents = Documents(SCHEMA, Limits())

    def refuse(size: Complexity) -> None:
        raise RequestError(ErrorCode.UNAUTHENTICATED, ", ".join(sorted(size.root_names)))

    with pytest.raises(RequestError, match="unknown"):
        documents.prepare("{ unknown }", pay=free, admit=refuse, hide_suggestions=False)
    prepare(documents, "{ a }")
    with pytest.raises(RequestError, match="a"):
        documents.prepare("{ a }", pay=free, admit=refuse, hide_suggestions=False)


def test_suggestions_are_made_unless_they_are_to_be_hidden():
    documents = Documents(
        strawberry.Schema(strawberry.type(type("Query", (), {"__annotations__": {"chapter": str}, "chapter": ""}))), Limits()
    )
    with pytest.raises(InvalidDocument) as told:
        prepare(documents, "{ chaptr }")
    with pytest.raises(InvalidDocument) as hidden:
        prepare(documents, "{ chaptr }", hide_suggestions=True)
    assert "Did you mean" in told.value.errors[0].message
    assert "Did you mean" not in hidden.value.errors[0].message


def test_each_outcome_of_conditions_has_a_plan_of_its_own():
    document = prepare(Documents(SCHEMA, Limits()), "query($yes: Boolean!) { a b @include(if: $yes) }")
    operation = document.operation(None)
    with_b, without_b = (document.plan(operation, document.conditions({"yes": yes})) for yes in (True, False))
    assert [field.key for field in with_b.fields] == ["a", "b"]
    assert [field.key for field in without_b.fields] == ["a"]
    assert document.plan(operation, {"yes": True}) is with_b


@pytest.mark.parametrize(("name", "expected"), [(None, None), ("A", "A"), ("C", None), ("", None)])
def test_an_operation_is_chosen_by_its_name(name: str | None, expected: str | None):
    document = prepare(Documents(SCHEMA, Limits()), "query A { a } query B { b }")
    if expected:
        chosen = document.operation(name)
        assert chosen.name is not None
        assert chosen.name.value == expected
    else:
        with pytest.raises(RequestError) as refused:
            document.operation(name)
        assert refused.value.code is ErrorCode.BAD_USER_INPUT


def test_a_condition_without_a_value_is_refused_wherever_it_is():
    document = prepare(Documents(SCHEMA, Limits()), "query($yes: Boolean = true) { a b @include(if: $yes) }")
    with pytest.raises(RequestError, match=r"`\$yes`.*must not be null") as refused:
        document.conditions({"yes": None})
    assert refused.value.code is ErrorCode.BAD_USER_INPUT


def test_conditions_of_other_operations_are_nobodys_business():
    source = "query A { a } query B($no: Boolean!) { b @skip(if: $no) }"
    document = prepare(Documents(SCHEMA, Limits()), source)
    plan = document.plan(document.operation("A"), document.conditions({}))
    assert [field.key for field in plan.fields] == ["a"]


def test_only_documents_that_have_to_be_checked_are_paid_for_and_whatever_comes_of_it():
    documents, paid = Documents(SCHEMA, Limits()), []
    for source in ("{ a }", "{ a }", "{ e }", "{ e }", "{"):
        try:
            documents.prepare(source, pay=paid.append, admit=admit, hide_suggestions=False)
        except InvalidDocument:
            continue
    assert paid == [5, 5, 5, 1]


def test_what_cannot_be_paid_for_is_not_looked_at():
    def refuse(_points: int) -> None:
        raise RequestError(ErrorCode.RATE_LIMITED, "Later.")

    with pytest.raises(RequestError, match="Later"):
        Documents(SCHEMA, Limits()).prepare("{", pay=refuse, admit=admit, hide_suggestions=False)


def test_fragments_that_would_take_long_to_compare_are_refused():
    count = 300
    fragments = " ".join(f"fragment F{index} on Query {{ a b }}" for index in range(count))
    with pytest.raises(InvalidDocument) as refused:
        prepare(Documents(SCHEMA, Limits(root_fields=1_000)), f"{{ {' '.join(f'...F{index}' for index in range(count))} }} {fragments}")
    assert refused.value.errors[0].extensions == {"code": ErrorCode.GRAPHQL_VALIDATION_FAILED}
