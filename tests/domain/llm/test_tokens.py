import hashlib
import os
import re
import shutil
import threading
from inspect import getsource
from itertools import takewhile

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken_ext import openai_public

from domain.llm.model import Message, Role
from domain.llm.tokens import PATTERNS, RANKS, SLICE_CHARACTERS, TokenCounter, Tokenizer

MODELS = {"cl100k_base": "gpt-4", "o200k_base": "gpt-5"}
COUNTER = TokenCounter()
PROSE = "“I won't,” said Anna, 24, of the Guild\u2019s 1,200 pilots…\n\n\t- naïve café; 他说\uff1a“你好。”\n\r\n  Über  das   Meer 🌊/\n\n/x_y z"
UNUSUAL = st.text(st.sampled_from("aZéß9 \n\r\t\u00a0'\u2019/_.,!你🌊\u0301\ud800"), max_size=200)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """tiktoken's own encodings, given the rank files as its cache."""
    folder = tmp_path_factory.mktemp("cache")
    for name in MODELS:
        address, _ = declared(name)
        shutil.copy(RANKS / f"{name}.tiktoken", folder / hashlib.sha1(address.encode()).hexdigest())
    before = os.environ.get("TIKTOKEN_CACHE_DIR")
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    try:
        return {name: tiktoken.get_encoding(name) for name in MODELS}
    finally:
        del os.environ["TIKTOKEN_CACHE_DIR"]
        if before is not None:
            os.environ["TIKTOKEN_CACHE_DIR"] = before


def declared(name: str) -> tuple[str, str]:
    address, digest = re.search(r'"(https://\S+)",\s*expected_hash="(\w+)"', getsource(getattr(openai_public, name))).groups()
    return address, digest


@pytest.mark.parametrize("name", MODELS)
def test_the_rank_files_are_the_ones_that_tiktoken_declares(name):
    _, digest = declared(name)
    assert hashlib.sha256((RANKS / f"{name}.tiktoken").read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("name", MODELS)
def test_the_patterns_are_those_of_tiktoken(original, name):
    assert PATTERNS[name] == original[name]._pat_str


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("text", ["", PROSE, PROSE * 600, "word " * 40_000, "他说\uff1a“你好。”\n\n" * 9_000, "<|endoftext|>", "\ud800 x"])
def test_counts_are_exactly_those_of_tiktoken(original, name, text):
    assert COUNTER.count(text, model=MODELS[name]) == len(original[name].encode_ordinary(text))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(UNUSUAL, st.sampled_from([PROSE, "and so on ", "\n\n", "    "])), max_size=12), st.integers(1, 200))
def test_slicing_long_texts_changes_no_count(original, parts, repeats):
    # Real prose around the odd parts, so that borders to cut at can be found: without any, a cut may cost a token.
    text = "\n".join(f"Once {part} upon a time" for part in parts) * repeats
    for name, model in MODELS.items():
        assert COUNTER.count(text, model=model) == len(original[name].encode_ordinary(text.encode(errors="replace").decode()))


@pytest.mark.parametrize("character", [" ", "\t", "\u00a0", "\n", "a", "你", "🌊", "!", "0"])
@pytest.mark.parametrize("model", MODELS.values())
def test_a_million_times_the_same_character_is_survived(character, model):
    tokens = COUNTER.count(character * 1_000_000, model=model)
    sliced = 1_000_000 // SLICE_CHARACTERS + 1
    once = COUNTER.count(character * SLICE_CHARACTERS, model=model)
    assert abs(tokens - once * 1_000_000 / SLICE_CHARACTERS) <= sliced


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(UNUSUAL, UNUSUAL.map(lambda text: text * 300), st.just(PROSE * 300)), st.integers(-1, 3000), st.sampled_from(sorted(MODELS))
)
def test_what_is_taken_is_an_end_of_the_text_and_fits(text, tokens, name):
    model = MODELS[name]
    first, last = COUNTER.take(text, model=model, tokens=tokens), COUNTER.take_last(text, model=model, tokens=tokens)
    assert text.startswith(first)
    assert text.endswith(last)
    assert COUNTER.count(first, model=model) <= max(0, tokens)
    assert COUNTER.count(last, model=model) <= max(0, tokens)
    if COUNTER.count(text, model=model) <= tokens:
        assert first == last == text


@pytest.mark.parametrize("tokens", [1, 7, 100, 5_000])
@pytest.mark.parametrize("name", MODELS)
def test_what_is_taken_uses_the_tokens_it_may(name, tokens):
    text, model = PROSE * 300, MODELS[name]
    for taken in (COUNTER.take(text, model=model, tokens=tokens), COUNTER.take_last(text, model=model, tokens=tokens)):
        assert COUNTER.count(taken, model=model) >= tokens - 4  # a character of the text has at most four tokens


@pytest.mark.parametrize("name", MODELS)
def test_what_is_taken_fits_even_where_slices_are_cut_within_words(name):
    text, model = "!égbf" * 8_000, MODELS[name]
    for tokens in range(12_000, 16_000, 100):
        assert COUNTER.count(COUNTER.take_last(text, model=model, tokens=tokens), model=model) <= tokens


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", "Mara"),
        ("Mara waits.", "Mara waits."),
        ("Mara waits", "Mara waited"),
        ("👩", "👧"),
        (".zebWah 👩", ".zebWah \u200d"),
        (f"{PROSE * 300}a", f"{PROSE * 300}b"),
    ],
)
def test_texts_share_the_tokens_that_both_begin_with(name, one, other):
    model = MODELS[name]
    encode = COUNTER._encoding(model).encode_ordinary
    common = list(takewhile(lambda pair: pair[0] == pair[1], zip(encode(one), encode(other), strict=False)))
    assert COUNTER.shared(one, other, model=model) == COUNTER.shared(other, one, model=model) == len(common)


def test_taking_cuts_no_character_in_two():
    for tokens in range(12):
        assert set(COUNTER.take("🏴‍☠️" * 9, model="gpt-4", tokens=tokens)) <= set("🏴‍☠️")


@pytest.mark.parametrize(
    ("model", "tokenizer"),
    [
        ("gpt-4o", Tokenizer("o200k_base", exact=True)),
        ("gpt-5-mini", Tokenizer("o200k_base", exact=True)),
        ("gpt-oss-20b", Tokenizer("o200k_base", exact=True)),
        ("openai/gpt-4.1", Tokenizer("o200k_base", exact=True)),
        ("gpt-4", Tokenizer("cl100k_base", exact=True)),
        ("gpt-3.5-turbo-0125", Tokenizer("cl100k_base", exact=True)),
        ("rehearsal", Tokenizer("o200k_base", exact=True)),
        ("text-davinci-003", Tokenizer("o200k_base", exact=False)),
        ("llama3:8b", Tokenizer("o200k_base", exact=False)),
        ("", Tokenizer("o200k_base", exact=False)),
    ],
)
def test_a_model_whose_tokenizer_is_not_known_is_counted_as_an_estimate(model, tokenizer):
    assert COUNTER.tokenizer(model) == tokenizer


def test_a_chat_is_billed_by_openais_recipe():
    # The example of the recipe's source, whose count OpenAI's API confirmed: 3 per message, 1 per role, 3 for the answer.
    messages = (Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "Hello"))
    assert COUNTER.count_messages(messages, model="gpt-4o") == (3 + 1 + 3) + (3 + 1 + 1) + 3
    assert COUNTER.count_messages((), model="gpt-4o") == 3


def test_threads_that_begin_together_count_alike():
    counter, counts, together = TokenCounter(), [], threading.Barrier(4)

    def count() -> None:
        together.wait(timeout=10)
        counts.append(counter.count(PROSE, model="gpt-4"))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert counts == [COUNTER.count(PROSE, model="gpt-4")] * 4
