import asyncio
import json
import logging

import httpx2
import pytest
from graphql import get_introspection_query

from schema.edge.limits import Limits
from tests.schema.edge.toy import HARMLESS_ORIGIN, serving, token, toy_edge

GRAPHQL_RESPONSE = "application/graphql-response+json"


async def post(address, body, *, headers=None, anonymous=False):
    """Send a document, an object that is made into JSON, or raw bytes."""
    if isinstance(body, str):
        body = {"query": body}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Accept": GRAPHQL_RESPONSE, "Content-Type": "application/json", **(headers or {})}
    if not anonymous:
        sent.setdefault("Authorization", f"Bearer {token()}")
    async with httpx2.AsyncClient(timeout=10) as client:
        return await client.post(f"http://{address}/graphql", content=content, headers=sent)


async def get(address, parameters, **headers):
    async with httpx2.AsyncClient(timeout=10) as client:
        return await client.get(f"http://{address}/graphql", params=parameters, headers={"Authorization": f"Bearer {token()}", **headers})


def codes(response):
    return [error["extensions"]["code"] for error in response.json()["errors"]]


async def test_an_operation_runs_for_the_viewer_of_the_token(address):
    response = await post(address, "{ viewer }", headers={"Authorization": f"bearer {token('grace')}"})
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{GRAPHQL_RESPONSE}; charset=utf-8"
    assert response.json()["data"] == {"viewer": "grace"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", 400, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query($n: Int!) { double(number: $n) }", "variables": {"n": "x"}}, 400, "BAD_USER_INPUT"),
        ({"query": "query A { __typename }", "operationName": "B"}, 400, "BAD_USER_INPUT"),
        ("{ a }" * 11, 400, "QUERY_TOO_COMPLEX"),
        ("{ " + "a " * 5000 + "}", 400, "QUERY_TOO_COMPLEX"),
        ("{ __typename } #" + "x" * 256_000, 400, "QUERY_TOO_COMPLEX"),
        ("{ a(x: " + "[" * 3000 + "]" * 3000 + ") }", 400, "QUERY_TOO_COMPLEX"),
        ("{ a(x: " + "[" * 300 + "]" * 300 + ") }", 400, "QUERY_TOO_COMPLEX"),
    ],
)
async def test_a_refused_document_has_a_status_a_code_and_no_data(address, body, status, code):
    response = await post(address, body)
    assert (response.status_code, codes(response)) == (status, [code])
    assert "data" not in response.json()


async def test_plain_json_clients_read_the_refusal_of_a_document_with_status_200(address):
    response = await post(address, "{ nothing }", headers={"Accept": "application/json"})
    assert (response.status_code, codes(response)) == (200, ["GRAPHQL_VALIDATION_FAILED"])
    assert response.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"5",
        b'"x"',
        b"[]",
        b'[{"query": "{ __typename }"}]',
        b"{",
        b'{"query": "{ __typename }", "x": "\xff"}',
        b'{"query": "{ __typename }", "variables": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"query": "{ __typename }", "variables": {"n": ' + b"9" * 20_000 + b"}}",
        b'{"query": "{ __typename }", "variables": {"n": NaN}}',
        b'{"query": 5}',
        b'{"extensions": {"persistedQuery": {}}}',
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "operationName": {}}',
        b'{"query": "{ __typename }", "extensions": "x"}',
    ],
)
@pytest.mark.parametrize("accept", [GRAPHQL_RESPONSE, "application/json"])
async def test_a_malformed_body_is_answered_with_400(address, body, accept):
    response = await post(address, body, headers={"Accept": accept})
    assert (response.status_code, codes(response)) == (400, ["BAD_USER_INPUT"])


async def test_half_of_an_emoji_reaches_the_resolver_whose_checks_refuse_it(address):
    document = json.dumps({"query": "query($t: String!) { echo(text: $t) }", "variables": {"t": "pen \ud83d"}})
    assert "\\ud83d" in document
    response = await post(address, document.encode())
    assert response.json()["data"] == {"echo": "pen \ud83d"}


async def test_a_whole_emoji_written_as_two_escapes_stays_itself_beside_a_broken_one(address):
    body = b'{"query": "query($t: String!) { echo(text: $t) }", "variables": {"t": "\\ud83d\\ude00 \\\\ud83d \\ud83d"}}'
    assert (await post(address, body)).json()["data"] == {"echo": "😀 \\ud83d \ud83d"}


async def test_a_chapter_of_ten_megabytes_reaches_its_resolver(address):
    response = await post(address, {"query": "query($t: String!) { length(text: $t) }", "variables": {"t": "x" * 10_000_000}})
    assert response.json()["data"] == {"length": 10_000_000}


async def test_a_body_over_the_limit_is_answered_with_413(observed):
    async with serving(toy_edge(observed, limits=Limits(body_bytes=1000))) as address:
        response = await post(address, b'{"query": "{ __typename }", "x": "' + b"x" * 1000 + b'"}')
        assert (response.status_code, codes(response)) == (413, ["BAD_USER_INPUT"])


async def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(address):
    reader, writer = await asyncio.open_connection(*address.split(":"))
    writer.write(b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n")
    async with asyncio.timeout(5):
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_a_body_that_does_not_arrive_is_given_up_with_its_connection(observed):
    async with serving(toy_edge(observed, limits=Limits(body_seconds=0.05))) as address:
        reader, writer = await asyncio.open_connection(*address.split(":"))
        writer.write(b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{")
        async with asyncio.timeout(5):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_a_client_without_a_token_may_send_little(address):
    response = await post(address, b'{"query": "{ __typename }", "x": "' + b"x" * 65_536 + b'"}', anonymous=True)
    assert response.status_code == 413


@pytest.mark.parametrize("value", ["Bearer", "Bearer forged", "Basic YTpi", "", "Bearer a.b.c", "Token x"])
async def test_an_unusable_token_is_answered_with_401_even_where_none_is_needed(address, value):
    response = await post(address, "{ __typename }", headers={"Authorization": value, "Accept": "application/json"})
    assert (response.status_code, codes(response)) == (401, ["UNAUTHENTICATED"])
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "document",
    [
        "{ viewer }",
        "{ nothing }",
        "{ __typename ...F } fragment F on Query { viewer }",
        "{ __typename ... on Query { ... { hidden: viewer } } }",
        'mutation { rename(title: "x") }',
        "query A { __typename } query B { viewer }",
        "{ __schema { queryType { name } } }",
        "{ __typename " + "@skip(if: false) " * 60 + "...F } fragment F on Query { viewer }",
    ],
)
async def test_without_a_token_nothing_can_be_asked_in_production(address, observed, document):
    contexts = observed.contexts
    response = await post(address, {"query": document, "operationName": "A" if "query A" in document else None}, anonymous=True)
    assert (response.status_code, codes(response)) == (401, ["UNAUTHENTICATED"])
    assert observed.contexts == contexts


async def test_without_a_token_the_schema_can_be_read_in_development_and_nothing_else(observed):
    async with serving(toy_edge(observed, development=True)) as address:
        introspection = await post(address, get_introspection_query(), anonymous=True)
        assert introspection.json()["data"]["__schema"]["queryType"]["name"] == "Query"
        assert (await post(address, "{ __schema { queryType { name } } viewer }", anonymous=True)).status_code == 401


async def test_a_document_that_a_token_made_known_is_still_closed_to_others(address):
    assert (await post(address, "{ viewer }")).status_code == 200
    assert (await post(address, "{ viewer }", anonymous=True)).status_code == 401


async def test_the_standard_introspection_query_is_within_the_limits(address):
    response = await post(address, get_introspection_query(specified_by_url=True, input_value_deprecation=True))
    assert "errors" not in response.json()


async def test_an_unexpected_failure_is_masked_and_can_be_found_in_the_log(address, caplog):
    with caplog.at_level(logging.ERROR):
        response = await post(address, "{ fails }")
    assert response.status_code == 200
    assert response.json()["data"] == {"fails": None}
    [error] = response.json()["errors"]
    assert error["message"] == "Something went wrong on our side."
    assert error["path"] == ["fails"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    [record] = caplog.records
    assert record.trace_id == error["extensions"]["traceId"]
    assert "swordfish" in str(record.exc_info[1])
    assert "swordfish" not in response.text


async def test_data_is_null_but_present_when_the_whole_answer_failed_while_running(address):
    response = await post(address, "{ failsHard }")
    assert (response.status_code, response.json()["data"], codes(response)) == (200, None, ["INTERNAL_SERVER_ERROR"])


async def test_a_failure_while_authenticating_is_masked_too(address):
    response = await post(address, "{ viewer }", headers={"Authorization": f"Bearer {token('unlucky')}"})
    assert (response.status_code, codes(response)) == (500, ["INTERNAL_SERVER_ERROR"])
    assert "10.0.0.7" not in response.text


async def test_while_nobody_can_be_judged_clients_are_told_to_come_back(address):
    response = await post(address, "{ viewer }", headers={"Authorization": f"Bearer {token('early')}"})
    assert (response.status_code, codes(response)) == (503, ["INTERNAL_SERVER_ERROR"])
    assert int(response.headers["retry-after"]) > 0


async def test_a_large_answer_arrives_whole(address):
    response = await post(address, "{ pages(number: 3) }")
    assert response.json()["data"] == {"pages": "x" * 3_000_000}
    assert int(response.headers["content-length"]) == len(response.content)


async def test_an_error_that_names_its_code_passes_unmasked(address):
    response = await post(address, "{ forbidden }")
    [error] = response.json()["errors"]
    assert (error["message"], error["extensions"]) == ("Only the owner may see this.", {"code": "FORBIDDEN"})


async def test_an_exception_of_a_lower_layer_can_be_given_a_code(address):
    [error] = (await post(address, "{ unknownKey }")).json()["errors"]
    assert (error["message"], error["extensions"]) == ("There is no such key.", {"code": "BAD_USER_INPUT"})


async def test_a_null_for_a_required_argument_is_the_clients_mistake(address):
    body = {"query": "query($n: Int = 2) { double(number: $n) }", "variables": {"n": None}}
    assert codes(await post(address, body)) == ["BAD_USER_INPUT"]


async def test_a_result_that_does_not_fit_its_type_is_our_mistake(address):
    response = await post(address, "{ double(number: 2000000000) }")
    assert codes(response) == ["INTERNAL_SERVER_ERROR"]
    assert "4000000000" not in response.text


async def test_an_error_message_does_not_repeat_a_whole_chapter(address):
    body = {"query": "query($n: Int!) { double(number: $n) }", "variables": {"n": "x" * 100_000}}
    assert len((await post(address, body)).text) < 1000


@pytest.mark.parametrize(
    ("document", "hint"),
    [("{ viewr }", "viewer"), ('{ echo(txt: "x") }', "text"), ("{ viewer ... on Qery { __typename } }", "Query")],
)
async def test_names_are_suggested_in_development_only(address, observed, document, hint):
    message = (await post(address, document)).json()["errors"][0]["message"]
    assert f"'{hint}'" not in message
    async with serving(toy_edge(observed, development=True)) as development:
        assert f"'{hint}'" in (await post(development, document)).json()["errors"][0]["message"]


async def test_few_validation_errors_are_listed(address):
    assert len((await post(address, "{ " + " ".join(f"x{n}" for n in range(20)) + " }")).json()["errors"]) <= 6


@pytest.mark.parametrize(
    ("document", "limits"),
    [
        ("{ never }", Limits(query_seconds=0.05, mutation_seconds=600)),
        ("mutation { never }", Limits(query_seconds=600, mutation_seconds=0.05)),
    ],
)
async def test_an_operation_that_takes_too_long_for_its_type_is_given_up(observed, document, limits):
    async with serving(toy_edge(observed, limits=limits)) as address:
        response = await post(address, document)
        assert (response.status_code, codes(response)) == (504, ["TIMEOUT"])
        assert "0.05 seconds" in response.text


async def test_get_runs_a_query_for_a_client_that_shows_it_is_no_form_or_link(address):
    parameters = {"query": "query($n: Int!) { double(number: $n) }", "variables": '{"n": 4}'}
    assert (await get(address, parameters)).status_code == 400
    response = await get(address, parameters, **{"GraphQL-Require-Preflight": "1"})
    assert response.json()["data"] == {"double": 8}


async def test_get_never_runs_a_mutation(address):
    response = await get(address, {"query": 'mutation { rename(title: "x") }'}, **{"Apollo-Require-Preflight": "1"})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert codes(response) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
async def test_other_methods_are_answered_with_405(address, method):
    async with httpx2.AsyncClient() as client:
        response = await client.request(method, f"http://{address}/graphql")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/xml", "multipart/form-data; boundary=x", "application/json; charset=utf-16"]
)
async def test_other_content_types_are_answered_with_415(address, content_type):
    response = await post(address, "{ __typename }", headers={"Content-Type": content_type})
    assert (response.status_code, codes(response)) == (415, ["BAD_USER_INPUT"])


@pytest.mark.parametrize("accept", ["multipart/mixed", "image/png"])
async def test_what_is_not_offered_is_answered_with_406(address, accept):
    response = await post(address, "{ __typename }", headers={"Accept": accept})
    assert (response.status_code, codes(response)) == (406, ["BAD_USER_INPUT"])


async def test_a_browser_application_from_an_allowed_origin_may_ask_and_read(address):
    asking = {
        "Origin": HARMLESS_ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,graphql-require-preflight",
    }
    async with httpx2.AsyncClient() as client:
        preflight = await client.options(f"http://{address}/graphql", headers=asking)
        refused = await client.options(f"http://{address}/graphql", headers={**asking, "Origin": "https://evil.example"})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == HARMLESS_ORIGIN
    assert "access-control-allow-origin" not in refused.headers
    answer = await post(address, "{ viewer }", headers={"Origin": HARMLESS_ORIGIN})
    assert answer.headers["access-control-allow-origin"] == HARMLESS_ORIGIN
    assert {"Accept", "Origin"} <= {name.strip() for name in answer.headers["vary"].split(",")}
    assert {"Retry-After", "WWW-Authenticate", "RateLimit", "RateLimit-Policy", "RateLimit-Remaining"} <= {
        name.strip() for name in answer.headers["access-control-expose-headers"].split(",")
    }


async def test_each_request_has_its_own_context(address):
    numbers = [(await post(address, "{ contextNumber }")).json()["data"]["contextNumber"] for _ in range(2)]
    assert numbers[1] == numbers[0] + 1


async def test_whoever_has_no_token_sends_short_documents(address):
    long = "{ " + "__typename " * 1_010 + "}"
    refused = await post(address, long, anonymous=True)
    assert refused.json()["errors"][0]["extensions"]["code"] == "QUERY_TOO_COMPLEX"
    assert "fields" in (await post(address, long)).json()["errors"][0]["message"]
