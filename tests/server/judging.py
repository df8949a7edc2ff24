"""Assessing and revising, as a client asks for it, and judges that answer as a test needs them to."""

import re
from collections.abc import Callable
from typing import Any

from commands.demo.client import Client
from tests.fakes.judge import Answer, Judge
from tests.fakes.model_server import Call
from tests.server import story
from tests.server.caller import Caller

PROSE = (
    "Mara found the letter under the lamp. She did not open it. The tide was out, and the causeway lay bare as a table.\n\n"
    "Ilse came in with the wet coal. “You have read it,” she said, and set the bucket down so that it rang on the stone. "
    "Mara turned the envelope over. Nobody had written on the back, and the wax had kept its edge.\n\n"
    "Outside a gull walked along the wall, looked in, and thought better of it."
)
FIRST, SECOND = "She did not open it.", "Nobody had written on the back, and the wax had kept its edge."
JUDGEMENT, PREFERENCE, REVISION = "judgement", "preference", "revision"
"""What a call asks for, by the name of its schema."""

CONCERNS = 4
ASSESSMENT = """
    id score scoreLow scoreHigh judge rubric notes rehearsal
    metrics { name value } dimensions { name score }
    usage { calls promptTokens completionTokens cost }
    findings { id severity category message quote start end replacement metric dismissed conflictsWith { quote source { id } } }
    version { id text }
"""
_CHAPTER = f"""
query($id: ID!) {{
  chapter(id: $id) {{
    currentVersion {{ id text origin assessment {{ {ASSESSMENT} }} }}
    versions {{ nodes {{ id origin text number assessment {{ {ASSESSMENT} }} }} }}
  }}
}}
"""
_RESULT = f"query($id: ID!) {{ job(id: $id) {{ result {{ ... on Assessment {{ {ASSESSMENT} }} }} }} }}"
_TEXTS = re.compile(r"## Text (?P<label>[AB])\n\n<material \w+>\n(?P<text>.*?)\n</material", re.DOTALL)

Change = Callable[[Answer, Call], Answer | str]


def scored(score: int, *findings: Answer) -> Change:
    """A judge that gives this score to everything, and finds only this."""
    return lambda answer, _: {**answer, "findings": list(findings), "score": score, "overall": score}


def finding(quote: str, **changes: Any) -> Answer:
    given: Answer = {
        "category": "PROSE",
        "severity": "MINOR",
        "quote": quote,
        "before": "",
        "after": "",
        "conflict": None,
        "message": "This could be said better.",
        "suggestion": "Say it better.",
        "replacement": None,
    }
    return {**given, **changes}


def about(concern: str, change: Change, otherwise: Change) -> Change:
    """A judge that answers differently to one concern, known by a word of its question's heading."""

    def answers(answer: Answer, call: Call) -> Answer | str:
        asked = call.body["messages"][-1]["content"].splitlines()[0]
        return (change if concern in asked else otherwise)(answer, call)

    return answers


def prefers(words: str) -> Change:
    """The text with these words, whichever place it has."""

    def answers(_: Answer, call: Call) -> Answer:
        texts = {found["label"]: found["text"] for message in call.body["messages"] for found in _TEXTS.finditer(message["content"])}
        (better,) = (label for label, text in texts.items() if words in text)
        return {"reason": "It has the words.", "better": better}

    return answers


def always(label: str) -> Change:
    return lambda *_: {"reason": "The first impression.", "better": label}


def garbage(*_: object) -> str:
    return "I would rather talk about the weather."


def rewrites(replacement: str) -> Change:
    """An editor who puts the same in place of every passage that is asked for."""
    return lambda answer, _: {**answer, "edits": [{**edit, "replacement": replacement} for edit in answer["edits"]]}


def changed(judge: Judge, **changes: Any) -> None:
    """Have the judge answer requests of these schemas otherwise."""
    judge.change = {**judge.change, **changes}


async def new_chapter(client: Client, *, text: str = "", settings: dict[str, Any] | None = None, **project: Any) -> str:
    chapter = await story.new_chapter(client, settings=settings or {"maxRevisions": 0}, **project)
    if text:
        await save(client, chapter, text)
    return chapter


async def save(client: Client, chapter: str, text: str) -> str:
    """The new version's id."""
    await Caller(client).change("saveChapterText", chapterId=chapter, text=text)
    return str((await look(client, chapter))["currentVersion"]["id"])


async def look(client: Client, chapter: str) -> dict[str, Any]:
    return dict((await client.ask(_CHAPTER, id=chapter))["chapter"])


async def version(client: Client, chapter: str, origin: str) -> dict[str, Any]:
    """The only one of this origin."""
    (found,) = [each for each in (await look(client, chapter))["versions"]["nodes"] if each["origin"] == origin]
    return dict(found)


async def draft(client: Client, chapter: str, **options: Any) -> dict[str, Any]:
    """The job at its end."""
    return await ended(client, await story.start(client, chapter, **options))


async def assess(client: Client, version_id: str, **options: Any) -> dict[str, Any]:
    return await ended(client, str((await Caller(client).payload("startAssessment", versionId=version_id, **options))["job"]["id"]))


async def revise(client: Client, version_id: str, **options: Any) -> dict[str, Any]:
    return await ended(client, str((await Caller(client).payload("startChapterRevision", versionId=version_id, **options))["job"]["id"]))


async def ended(client: Client, job_id: str) -> dict[str, Any]:
    """The job when its log has ended; what was shown of it is what it says now."""
    events = await story.watch(client, job_id)
    job = await story.job(client, job_id)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert story.shown_text(events) == job["text"]
    return job


async def assessment_of(client: Client, job: dict[str, Any]) -> dict[str, Any]:
    """What a job that assesses has made."""
    return dict((await client.ask(_RESULT, id=job["id"]))["job"]["result"])
