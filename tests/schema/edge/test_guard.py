import strawberry
from graphql import parse

from schema.edge.complexity import Complexity
from schema.edge.guard import ValidDocument, ValidDocuments, guarded
from schema.edge.limits import Limits


def valid(source):
    return ValidDocument(parse(source), Complexity())


def test_the_least_recently_used_documents_make_room():
    documents = ValidDocuments(most_characters=9)
    for source in ("{a}", "{b}", "{c}"):
        documents.keep(source, valid(source))
    assert documents.find("{a}")
    documents.keep("{d}", valid("{d}"))
    assert [source for source in ("{a}", "{b}", "{c}", "{d}") if documents.find(source)] == ["{a}", "{c}", "{d}"]


def test_a_document_larger_than_the_cache_is_not_kept():
    documents = ValidDocuments(most_characters=3)
    documents.keep("{ a }", valid("{ a }"))
    assert documents.find("{ a }") is None
    documents.keep("{a}", valid("{a}"))
    assert documents.find("{a}")


async def test_the_schema_that_was_passed_in_stays_unguarded():
    @strawberry.type
    class Query:
        x: int = strawberry.field(resolver=lambda: 1)

    schema = strawberry.Schema(Query)
    behind_guard = guarded(schema, limits=Limits(depth=0), development=False)
    assert (await schema.execute("{ x }", context_value=0)).errors is None
    assert (await behind_guard.execute("{ x }", context_value=0)).errors


async def test_a_known_document_is_neither_parsed_nor_validated_again():
    @strawberry.type
    class Query:
        x: int = strawberry.field(resolver=lambda: 1)

    seen = []

    class Watch(strawberry.extensions.SchemaExtension):
        def on_execute(self):
            seen.append(self.execution_context.graphql_document)
            yield

    behind_guard = guarded(strawberry.Schema(Query, extensions=[Watch]), limits=Limits(), development=False)
    for source in ("{ x }", "{ x }", "{  x }"):
        await behind_guard.execute(source, context_value=0)
    assert seen[0] is seen[1]
    assert seen[0] is not seen[2]
