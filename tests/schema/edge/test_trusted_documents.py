"""Documents named by an id, over every transport."""

import json
from hashlib import sha256

import httpx2
import pytest

from schema.edge.errors import RequestError
from schema.edge.operation_request import OperationRequest
from schema.edge.trusted_documents import TrustedDocuments
from tests.schema.edge.http_client import EVENT_STREAM, MULTIPART, answered, asking, events, parts
from tests.schema.edge.test_websocket import code, connected
from tests.schema.edge.toy import Observed, serving, token, toy_edge

GRAPHQL_RESPONSE = "application/graphql-response+json"
MANIFEST = {"aa11": "query Me { viewer }", "bb22": "subscription Count { count(to: 2) }"}
ROOM = 1_000


def digest(document):
    return sha256(document.encode()).hexdigest()


def apq(document, **more):
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(document)}}, **more}


def documents(*, only=False, most_characters=ROOM):
    return TrustedDocuments(MANIFEST, only=only, most_characters=most_characters)


@pytest.fixture(scope="module")
async def served():
    async with serving(toy_edge(Observed(), documents=documents())) as address:
        yield address


async def ask(address, body, **options):
    response = await answered(address, body, accept=GRAPHQL_RESPONSE, **options)
    return response.status_code, response.json()


def refusal(answer):
    status, body = answer
    assert "data" not in body
    return status, body["errors"][0]["extensions"]["code"], body["errors"][0]["message"]


async def test_a_document_is_remembered_by_its_hash_once_it_was_brought(served):
    document = "{ first: viewer }"
    assert refusal(await ask(served, apq(document))) == (400, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
    assert (await ask(served, apq(document, query=document)))[1]["data"] == {"first": "ada"}
    assert (await ask(served, apq(document)))[1]["data"] == {"first": "ada"}
    assert (await ask(served, {"documentId": f"sha256:{digest(document)}"}))[1]["data"] == {"first": "ada"}


async def test_a_document_that_is_not_what_its_hash_says_is_refused_and_forgotten(served):
    status, error_code, _ = refusal(await ask(served, apq("{ second: viewer }", query="{ viewer }")))
    assert (status, error_code) == (400, "BAD_USER_INPUT")
    assert refusal(await ask(served, apq("{ second: viewer }")))[1] == "PERSISTED_QUERY_NOT_FOUND"
    assert refusal(await ask(served, {"documentId": "aa11", "query": "{ viewer }"}))[1] == "BAD_USER_INPUT"


@pytest.mark.parametrize("document", ["{ nothing }", "{", "query($n: Int!) { double(number: $n) }"])
async def test_only_documents_that_ran_are_remembered(served, document):
    refusal(await ask(served, apq(document, query=document)))
    assert refusal(await ask(served, apq(document)))[1] == "PERSISTED_QUERY_NOT_FOUND"


async def test_without_a_token_nothing_is_remembered_and_nothing_found_out(served):
    document = "{ __typename third: __typename }"

    async def anonymously(body):
        async with httpx2.AsyncClient() as client:
            response = await client.request(**asking(served, body, accept=GRAPHQL_RESPONSE, presented=None))
        return response.status_code, response.json()

    assert (await anonymously(apq(document, query=document)))[0] == 200
    assert refusal(await ask(served, apq(document)))[1] == "PERSISTED_QUERY_NOT_FOUND"
    assert refusal(await anonymously(apq(document)))[1] == "UNAUTHENTICATED"
    await ask(served, apq(document, query=document))
    assert refusal(await anonymously(apq(document)))[1] == "UNAUTHENTICATED"


@pytest.mark.parametrize("name", ["aa11", f"sha256:{digest(MANIFEST['aa11'])}"])
async def test_the_operators_documents_are_known_from_the_start(served, name):
    assert (await ask(served, {"documentId": name}))[1]["data"] == {"viewer": "ada"}
    assert (await ask(served, {"documentId": name, "operationName": "Me", "query": None}))[1]["data"] == {"viewer": "ada"}


@pytest.mark.parametrize("name", ["unknown", "sha256:aa11", "md5:aa11", "sha256:", "\ud800"])
async def test_an_unknown_id_is_told_in_the_way_clients_understand(served, name):
    assert refusal(await ask(served, {"documentId": name})) == (400, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": 5},
        {"documentId": ""},
        {"documentId": None},
        {"documentId": "aa11", "query": 5},
        {"documentId": "aa11", "variables": []},
        {"extensions": {"persistedQuery": {}}},
        {"extensions": {"persistedQuery": "x"}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "0" * 64}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "abc"}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 5}}},
    ],
)
async def test_a_malformed_id_is_answered_with_400(served, body):
    assert refusal(await ask(served, body))[:2] == (400, "BAD_USER_INPUT")


async def test_documents_are_named_over_get_streams_and_sockets_alike(served):
    name = {"documentId": "bb22"}
    counted = [{"data": {"count": 0}}, {"data": {"count": 1}}]
    assert [data for _, data in events((await answered(served, name, accept=EVENT_STREAM)).text)] == [*counted, None]
    assert [part["payload"] for part in parts((await answered(served, name, accept=MULTIPART)).text)] == counted
    headers = {"Authorization": f"Bearer {token()}", "Apollo-Require-Preflight": "1"}
    document = "{ overGet: viewer }"
    await ask(served, apq(document, query=document))
    async with httpx2.AsyncClient(base_url=f"http://{served}", headers=headers) as client:
        by_id = await client.get("/graphql", params={"documentId": "aa11"})
        by_hash = await client.get("/graphql", params={"extensions": json.dumps(apq(document)["extensions"])})
        streamed = await client.get("/graphql", params=name, headers={"Accept": EVENT_STREAM})
    assert (by_id.json()["data"], by_hash.json()["data"]) == ({"viewer": "ada"}, {"overGet": "ada"})
    assert events(streamed.text)[-1] == ("complete", None)
    async with connected(served, token=token()) as client:
        await client.send(id="1", type="subscribe", payload=name)
        assert [(await client.receive()).get("payload") for _ in range(3)] == [*counted, None]


async def test_a_socket_brings_documents_and_hears_which_are_unknown(served):
    document = "subscription { count(to: 1) }"
    async with connected(served, token=token()) as client:
        await client.send(id="1", type="subscribe", payload=apq(document))
        message = await client.receive()
        assert code([(message["type"], message["payload"])]) == "PERSISTED_QUERY_NOT_FOUND"
        await client.send(id="1", type="subscribe", payload=apq(document, query=document))
        assert (await client.receive())["type"] == "next"
        assert (await client.receive())["type"] == "complete"
        await client.send(id="1", type="subscribe", payload=apq(document))
        assert (await client.receive())["payload"] == {"data": {"count": 0}}
        assert (await client.receive())["type"] == "complete"
        await client.send(id="1", type="subscribe", payload={"extensions": {"persistedQuery": {"version": 1}}})
        assert (await client.closing())[0] == 4400


async def test_an_operator_may_trust_nothing_else():
    async with serving(toy_edge(Observed(), documents=documents(only=True))) as address:
        assert (await ask(address, {"documentId": "aa11"}))[1]["data"] == {"viewer": "ada"}
        assert (await ask(address, MANIFEST["aa11"]))[1]["data"] == {"viewer": "ada"}
        assert refusal(await ask(address, "{ viewer }"))[:2] == (403, "FORBIDDEN")
        assert refusal(await ask(address, apq("{ viewer }", query="{ viewer }")))[:2] == (403, "FORBIDDEN")
        assert refusal(await ask(address, apq("{ viewer }")))[1] == "PERSISTED_QUERY_NOT_FOUND"
        async with connected(address, token=token()) as client:
            assert code(await client.reply("{ viewer }")) == "FORBIDDEN"
            assert (await client.reply(MANIFEST["bb22"]))[0] == ("next", {"data": {"count": 0}})


def test_the_documents_used_least_recently_make_room():
    memory = documents(most_characters=30)
    brought = [OperationRequest(query, document_id=f"sha256:{digest(query)}") for query in ("{ aaaaaaaa }", "{ bbbbbbbb }", "{ cccccccc }")]
    for each in brought[:2]:
        memory.remember(each)
    memory.remember(brought[0])
    memory.remember(brought[2])

    def is_known(each):
        try:
            return memory.resolve(OperationRequest("", document_id=each.document_id), anonymous=False).query == each.query
        except RequestError:
            return False

    assert [is_known(each) for each in brought] == [True, False, True]


def test_a_document_larger_than_the_memory_leaves_it_empty_and_in_order():
    memory = documents(most_characters=30)
    for query in ("{ " + "a" * 40 + " }", "{ small }"):
        memory.remember(OperationRequest(query, document_id=f"sha256:{digest(query)}"))
    assert memory.resolve(OperationRequest("", document_id=f"sha256:{digest('{ small }')}"), anonymous=False).query == "{ small }"
