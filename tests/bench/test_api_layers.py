"""What a profile saw is shared out among the layers, and what no layer owns goes to whoever called it."""

import json
from cProfile import Profile
from types import CodeType

import pytest

from bench.api.layers import AUTHENTICATION, DATABASE, DOCUMENT, ENCODING, EXECUTION, OTHER, TRANSPORT, layer_of, seconds_by_layer

SOURCE = """
def work(load):
    for _ in range(2_000):
        load('{"a": [1, 2, 3]}')
"""


def profiled(file):
    """The profile of a function that calls the standard library, as if it stood in `file`."""
    names = {}
    code = compile(SOURCE, file, "exec")
    assert isinstance(code, CodeType)
    exec(code, names)
    profiler = Profile()
    profiler.runcall(names["work"], json.loads)
    return profiler


@pytest.mark.parametrize(
    ("file", "layer"),
    [
        ("/app/schema/edge/http.py", TRANSPORT),
        ("/lib/site-packages/starlette/routing.py", TRANSPORT),
        ("/lib/site-packages/jose/jws.py", AUTHENTICATION),
        ("/app/resolvers/authentication.py", AUTHENTICATION),
        ("/lib/site-packages/graphql/language/parser.py", DOCUMENT),
        ("/lib/site-packages/graphql/execution/executor.py", EXECUTION),
        ("/app/schema/chapters.py", EXECUTION),
        ("/lib/site-packages/asyncpg/connection.py", DATABASE),
        ("/app/schema/edge/json_text.py", ENCODING),
        ("/usr/lib/python3.11/json/decoder.py", None),
    ],
)
def test_files_have_their_layer(file, layer):
    assert layer_of(file) == layer


def test_time_in_the_standard_library_belongs_to_its_caller():
    profiler = profiled("/app/persistence/rows.py")
    seconds = seconds_by_layer(profiler)
    total = sum(entry.inlinetime for entry in profiler.getstats())
    assert sum(seconds.values()) == pytest.approx(total)
    assert seconds[DATABASE] == pytest.approx(total, rel=0.01)  # the rest is the end of profiling itself


def test_what_nobody_known_has_called_is_told_apart():
    seconds = seconds_by_layer(profiled("/elsewhere/rows.py"))
    assert set(seconds) == {OTHER}
