"""The GraphiQL page: what it is allowed to do, what it carries, and how its assets are sent."""

import gzip
import json
import re
from itertools import count
from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate
from graphql.execution.values import get_variable_values
from starlette.applications import Starlette
from starlette.testclient import TestClient

from schema.graphiql import graphiql_routes
from schema.story import Tab, read_story

REPOSITORY = Path(__file__).parent.parent.parent
ONE_TAB = (Tab("{ viewer { user { name } } }"),)
HOSTILE = "# </script><script>alert('&')</script> \u2028\u2029"


def visitor(*, tabs=ONE_TAB, token="secret", host="localhost:8000", address="127.0.0.1"):
    numbers = count(1)
    development_token = (lambda: f"{token}-{next(numbers)}") if token else None
    routes = graphiql_routes(endpoint="/graphql", tabs=tabs, development_token=development_token)
    return TestClient(Starlette(routes=routes), base_url=f"http://{host}", client=(address, 50000))


def configuration(page):
    [text] = re.findall(r'<script type="application/json" id="scriptorium">(.*?)</script>', page.text, re.DOTALL)
    return json.loads(text)


def any_asset():
    return min((REPOSITORY / "web/dist/graphiql/assets").glob("index-*.js.gz"))


def test_the_page_may_load_only_what_this_server_sends_and_may_not_be_framed_or_stored():
    page = visitor().get("/graphiql")
    policy = dict(directive.split(" ", 1) for directive in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["worker-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cross-origin-opener-policy"] == page.headers["cross-origin-resource-policy"] == "same-origin"
    assert page.headers["cache-control"] == "no-store"


def test_the_page_runs_no_inline_script():
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", visitor().get("/graphiql").text, re.DOTALL)
    assert len(scripts) == 2
    assert all("src=" in attributes or 'type="application/json"' in attributes for attributes, _ in scripts)


def test_the_page_carries_endpoint_and_tabs():
    carried = configuration(visitor(tabs=[Tab("query A { a }", '{"x": 1}'), Tab("query B { b }")]).get("/graphiql"))
    assert (carried["endpoint"], carried["subscriptionEndpoint"]) == ("/graphql", "/graphql")
    assert [(tab["query"], tab["variables"]) for tab in carried["tabs"]] == [("query A { a }", '{"x": 1}'), ("query B { b }", "{}")]


def test_text_in_a_tab_cannot_break_out_of_its_element():
    page = visitor(tabs=[Tab(HOSTILE)]).get("/graphiql")
    assert "<script>alert" not in page.text
    assert not re.search("[\u2028\u2029]", page.text)
    assert configuration(page)["tabs"][0]["query"] == HOSTILE


def test_every_load_gets_a_fresh_development_token_in_every_tab():
    client = visitor()
    for number in (1, 2):
        carried = configuration(client.get("/graphiql"))
        expected = {"Authorization": f"Bearer secret-{number}"}
        assert json.loads(carried["headers"]) == expected
        assert [json.loads(tab["headers"]) for tab in carried["tabs"]] == [expected]


def test_without_development_tokens_the_headers_are_empty():
    assert configuration(visitor(token=None).get("/graphiql"))["headers"] == "{}"


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "[::1]:8000", "localhost"])
def test_a_token_is_shown_under_every_name_of_this_machine(host):
    assert "secret" in configuration(visitor(host=host).get("/graphiql"))["headers"]


@pytest.mark.parametrize("host", ["rebound.example", "localhost.example", "127.0.0.1.example", "10.0.0.7:8000"])
def test_no_token_is_shown_under_a_name_that_a_stranger_can_point_at_this_machine(host):
    assert configuration(visitor(host=host).get("/graphiql"))["headers"] == "{}"


def test_no_token_is_shown_to_another_machine():
    assert configuration(visitor(address="10.0.0.7").get("/graphiql"))["headers"] == "{}"


@pytest.mark.parametrize("host", ["[", "[::1", "a:b", "localhost, rebound.example"])
def test_a_malformed_host_is_given_no_token(host):
    page = visitor().get("/graphiql", headers={"Host": host})
    assert page.status_code < 500
    assert "secret" not in page.text


def test_an_asset_is_sent_compressed_as_stored_and_kept_forever():
    stored = any_asset()
    with visitor().stream("GET", f"/graphiql/assets/{stored.stem}", headers={"Accept-Encoding": "br, gzip;q=0.5"}) as response:
        assert b"".join(response.iter_raw()) == stored.read_bytes()
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("accepted", ["identity", "br", "gzip;q=0", "gzip; q=0.000, *", ""])
def test_a_client_without_gzip_gets_the_plain_asset(accepted):
    stored = any_asset()
    response = visitor().get(f"/graphiql/assets/{stored.stem}", headers={"Accept-Encoding": accepted})
    assert "content-encoding" not in response.headers
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.content == gzip.decompress(stored.read_bytes())


@pytest.mark.parametrize("accepted", ["*", "GZIP", "identity, gzip ; q=0.001"])
def test_gzip_is_recognised_however_it_is_offered(accepted):
    response = visitor().get(f"/graphiql/assets/{any_asset().stem}", headers={"Accept-Encoding": accepted})
    assert response.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    "path",
    [
        "unknown.js",
        "../index.html",
        "%2e%2e/index.html",
        "..%2findex.html",
        "..%5cindex.html",
        "%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fsettings.py",
        "%2fetc%2fpasswd",
        "index.html%00.js",
        "",
    ],
)
def test_only_an_asset_of_the_build_is_served(path):
    response = visitor().get(f"/graphiql/assets/{path}")
    assert response.status_code == 404


def test_what_the_page_asks_for_is_served():
    client = visitor()
    addresses = re.findall(r'(?:src|href)="\./([^"]+)"', client.get("/graphiql").text)
    assert len(addresses) >= 2
    assert {client.get(f"/{address}").status_code for address in addresses} == {200}


def test_a_missing_build_is_said_at_start(tmp_path):
    with pytest.raises(FileNotFoundError):
        graphiql_routes(endpoint="/graphql", tabs=(), development_token=None, build=tmp_path)


def test_the_story_has_a_comment_for_newcomers_and_one_named_operation_in_each_step():
    story = read_story()
    names = []
    for number, tab in enumerate(story, start=1):
        [operation] = parse(tab.query).definitions
        names.append(operation.name.value)
        assert re.search(rf"^# {number}\. ", tab.query, re.MULTILINE), f"{operation.name.value} does not say that it is step {number}"
        for placeholder in set(re.findall(r"PASTE-\w+-ID", tab.variables)):
            assert placeholder in tab.query, f"{operation.name.value} does not say where {placeholder} comes from"
    assert names == [
        "WhoAmI",
        "CreateProject",
        "AddCharacter",
        "AddChapter",
        "PreviewPrompt",
        "WriteChapter",
        "WatchJob",
        "CancelJob",
        "ReadChapter",
        "EditChapter",
        "ReviseChapter",
    ]


def test_the_page_carries_every_id_that_the_story_asks_for():
    carried_forward = (REPOSITORY / "web/src/carried-ids.js").read_text(encoding="utf-8")
    asked = {placeholder for tab in read_story() for placeholder in re.findall(r"PASTE-\w+-ID", tab.variables)}
    assert asked == set(re.findall(r"'(PASTE-\w+-ID)'", carried_forward))


@pytest.mark.parametrize("tab", read_story(), ids=lambda tab: parse(tab.query).definitions[0].name.value)
def test_every_step_of_the_story_is_valid_against_the_published_schema(tab):
    schema = build_schema((REPOSITORY / "schema.graphql").read_text(encoding="utf-8"))
    document = parse(tab.query)
    assert validate(schema, document) == []
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    variables = get_variable_values(schema, operation.variable_definitions or (), json.loads(tab.variables))
    assert not isinstance(variables, list), variables  # a list holds the errors
