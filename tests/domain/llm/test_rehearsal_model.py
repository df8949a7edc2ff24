import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.llm.model import FinishReason, Message, Role, TextDelta
from domain.llm.rehearsal_material import gather
from domain.llm.rehearsal_model import RehearsalModel
from domain.llm.rehearsal_prose import LABEL, compose
from domain.writing.words import count_words

PROMPT = """## World

<material abcd1234>
### The Saltmarsh

The marsh floods twice a day. Nobody crosses it after *dusk*.
</material abcd1234>

## Cast

<material abcd1234>
### Anna Vell

Anna is twenty-four and stubborn. She has not left the island since the storm. Her biography has 90,000 words.

### Tomas

- Tomas is her elder brother.
</material abcd1234>

## The previous chapter's end

<material abcd1234>
“You should not have looked,” he said. The lamp went out.
</material abcd1234>

## Brief

Chapter 3, “The Map”

Anna hides the map in the bell tower. Tomas follows her and demands it.

Told from the point of view of Anna Vell.

Write about 600 words. Now write chapter 3: its prose and nothing else.
"""
CONTINUE = "Continue exactly where the text above breaks off."


@pytest.fixture
def model(tokens):
    return RehearsalModel(words_per_second=None, tokens=tokens)


async def test_the_same_prompt_gives_the_same_text_and_another_prompt_another(model, ask, complete):
    first, again, other = [(await complete(model, ask(prompt)))[0] for prompt in (PROMPT, PROMPT, PROMPT + "!")]
    assert first == again
    assert first != other


async def test_the_text_says_at_once_that_no_model_wrote_it(model, ask, complete):
    text, _ = await complete(model, ask(PROMPT))
    assert text.startswith(f"{LABEL}\n\n")
    assert text.count("Rehearsal:") == 1
    assert model.rehearsal


async def test_the_text_is_made_of_the_prompts_own_names_and_sentences(model, ask, complete):
    text, _ = await complete(model, ask(PROMPT))
    for own in ("Anna Vell", "Tomas", "the Saltmarsh", "Anna hides the map in the bell tower.", "Tomas follows her", "The lamp went out."):
        assert own in text
    for instruction in ("Write about", "Told from", "material", "Chapter 3"):
        assert instruction not in text
    assert "”" in text, "somebody speaks"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("Write about 600 words.", 600),
        ("Write about 2,500 words", 2500),
        ("write around 1 200 words", 1200),
        ("300 words, please", 300),
        ("It has 90,000 words. Write about 700 words.", 700),
        ("Write something.", 450),
        ("Write about 0 words", 20),
        (f"Write about {'9' * 50} words", 20_000),
    ],
)
def test_the_length_asked_for_is_understood(asked, words):
    assert gather([Message(Role.USER, asked)]).words == words


@pytest.mark.parametrize("words", [100, 600, 3_000])
async def test_the_text_is_about_as_long_as_asked_for(model, ask, complete, words):
    text, _ = await complete(model, ask(PROMPT.replace("600", f"{words:,}"), max_tokens=100_000))
    assert words <= count_words(text) <= words + 120


async def test_a_text_that_reaches_the_limit_of_tokens_is_continued_to_the_same_whole(model, ask, complete):
    whole, completed = await complete(model, ask(PROMPT))
    assert completed.finish is FinishReason.STOP
    text, finish = "", FinishReason.LENGTH
    while finish is FinishReason.LENGTH:
        request = ask(PROMPT, text, CONTINUE, max_tokens=150) if text else ask(PROMPT, max_tokens=150)
        part, completed = await complete(model, request)
        assert completed.usage.completion_tokens <= 150
        text, finish = text + part, completed.finish
    assert text == whole


async def test_a_text_that_was_changed_is_carried_on_without_a_second_label(model, ask, complete):
    text, completed = await complete(model, ask(PROMPT, "Something else entirely.", CONTINUE))
    assert completed.finish is FinishReason.STOP
    assert text.startswith("\n\n")
    assert "Rehearsal:" not in text


async def test_a_finished_text_gets_no_more_than_an_afterthought(model, ask, complete):
    whole, _ = await complete(model, ask(PROMPT))
    text, _ = await complete(model, ask(PROMPT, whole, CONTINUE))
    assert 0 < count_words(text) < 20


async def test_usage_is_counted_exactly(model, ask, complete, tokens):
    request = ask(PROMPT)
    text, completed = await complete(model, request)
    assert completed.usage.prompt_tokens == tokens.count_messages(request.messages, model=request.model)
    assert completed.usage.completion_tokens == tokens.count(text, model=request.model)
    assert not completed.usage.estimated


async def test_words_come_one_by_one_at_the_pace_that_was_set(ask, tokens):
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    model = RehearsalModel(words_per_second=20.0, tokens=tokens, sleep=sleep)
    async with model.stream(ask(PROMPT)) as items:
        assert isinstance(await anext(items), TextDelta)
        assert slept == [], "the first word comes at once"
        deltas = [item async for item in items if isinstance(item, TextDelta)]
    assert slept == [0.05] * len(deltas)
    assert all(len(delta.text.split()) <= 1 for delta in deltas)


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        " ",
        "Anna",
        "小王走进了房间。他看见一封信。\n\nWrite about 80 words",
        "Анна вышла из дома. Было темно.",
        "x" * 100_000,
        "\ud800",
        "{name} {0} %s",
    ],
)
async def test_any_prompt_gets_an_answer(model, ask, complete, prompt):
    text, completed = await complete(model, ask(prompt))
    assert text.startswith(LABEL)
    assert count_words(text) > count_words(LABEL)
    assert completed.finish is FinishReason.STOP


async def test_other_languages_are_quoted_and_not_mixed_with_english(model, ask, complete):
    text, _ = await complete(model, ask("## Brief\n\nAnna geht über die Brücke. Niemand folgt ihr.\n"))
    sentences = {line.strip("“”") for line in text.removeprefix(LABEL).split("\n\n") if line}
    assert sentences == {"Anna geht über die Brücke.", "Niemand folgt ihr."}


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from('ab. *_`[]()<>#-+1\n"“”~|\\!&$你é'), max_size=300), st.binary(max_size=4))
def test_nothing_in_a_prompt_breaks_the_markdown(prompt, seed):
    text = compose(gather([Message(Role.USER, f"## Cast\n\n### {prompt[:20]}\n\n## Brief\n\n{prompt}\n\nWrite about 60 words")]), seed=seed)
    first, *paragraphs = text.split("\n\n")
    assert first == LABEL
    for paragraph in paragraphs:
        assert paragraph == "* * *" or not paragraph.startswith(("#", ">", "-", "+", "* ", "    ", "|", "1. ", "1) "))
        assert paragraph.strip() == paragraph
        assert "\n" not in paragraph
        assert not set(paragraph) & set("`<>[]\\_~|#")
        assert paragraph == "* * *" or paragraph.count("*") % 2 == 0
        assert paragraph.count("“") == paragraph.count("”")
