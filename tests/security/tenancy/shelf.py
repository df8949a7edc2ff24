"""One of everything that somebody can have, with a word of theirs in every text."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

import psycopg

from domain.assessing.assessment import DimensionScore, FindingEvidence, ProseMetric
from domain.jobs.events import Progressed, StepFinished, TextAppended, TextReplaced
from domain.jobs.job import Claim, Ending, JobFailure, JobStage, JobStatus
from domain.llm.model import Message
from domain.llm.model import Role as Speaker
from domain.prompting.receipts import Prompt, Source, SourceKind
from domain.spending import Usage
from tests.api import Api, uuid_of
from tests.factories import an_issue
from tests.persistence.job_world import RESULT, intent
from tests.persistence.job_world import prompt as any_prompt

QUOTE = "It rained."

# What no request can write, or not yet. As the superuser, for all rows of one project.
_WRITTEN_BESIDES = """
    UPDATE project SET archived_at = now(), settings = settings || jsonb_build_object('assessor_model', %(word)s, 'allow_unpriced_models', true)
        WHERE id = %(project)s;
    UPDATE chapter SET summary = %(word)s, stale_since = now() WHERE project_id = %(project)s;
    UPDATE chapter_version SET text = %(quote)s || ' ' || %(word)s WHERE project_id = %(project)s;
    UPDATE chapter_version SET parent_id = %(draft)s WHERE id = %(version)s;
    UPDATE reference_file SET media_type = %(word)s WHERE project_id = %(project)s;
    UPDATE prompt_receipt SET step = step || %(word)s WHERE project_id = %(project)s;
    UPDATE job SET worker = %(word)s, result_version_id = %(version)s WHERE id = %(job)s;
    UPDATE job SET result_assessment_id = %(assessment)s, cost_limit = 50 WHERE id = %(failed_job)s;
    UPDATE assessment SET job_id = %(failed_job)s WHERE id = %(assessment)s;
    UPDATE job SET status = 'WAITING', waiting = %(waiting)s::jsonb WHERE id = %(waiting_job)s;
    UPDATE job_event SET body = body || jsonb_build_object('waiting', %(waiting)s::jsonb, 'failure', %(failure)s::jsonb)
        WHERE job_id = %(waiting_job)s AND kind = 'StatusChanged';
    INSERT INTO passage_vector (project_id, model, sha256, dims, vector) VALUES (%(project)s, %(word)s, sha256(%(word)s::bytea), 0, '');
    INSERT INTO embedded_chapter (chapter_id, model, project_id, version_id, changed_at, format)
        VALUES (%(chapter)s, %(word)s, %(project)s, %(version)s, now(), 1);
    INSERT INTO embedding_turn (project_id, held_until) VALUES (%(project)s, now());
"""
_WAITING = '{{"limit_name": "budgetLimit", "limit": "1.000000", "required": "2.000000", "needs": "1.000000", "for": "{}"}}'
_FAILURE = '{{"code": "{0}", "message": "{0}", "retryable": true}}'


async def fill_shelf(api: Api, word: str, owner: "psycopg.Connection[tuple[object, ...]]") -> Mapping[str, str]:
    """The ids of what this user has from now on. `owner` is a connection of the superuser's."""
    project = await api.project(
        title=word,
        premise=word,
        language=word,
        audience=word,
        pointOfView="FIRST",
        tense="PAST",
        styleNotes=word,
        targetWordCount=1000,
        budgetLimit="123.456789",
        settings={"maxRevisions": 1},
        genreProfile={"guidance": word},
    )
    plan = {"title": word, "brief": f"{word} speaks.", "pointOfViewCharacter": word, "targetWordCount": 100}
    chapter, other, third, fourth = [await api.chapter(project, **plan) for _ in range(4)]
    await api.mutate("saveChapterText", "id", chapterId=chapter, text=f"{QUOTE} {word}")
    first = await api.current_version(chapter)
    file = await api.reference_file(
        project, name=word, content=f"{word} keeps the light.", aliases=[word.lower()], validFromChapter=1, validUntilChapter=9
    )
    draft, version = [await api.draft(chapter, built) for built in _two_prompts(word, file)]
    assessment, finding, dismissed = await _judge(api, version, word, file)
    job, failed, waiting = [await api.job(each, instructions=word, idempotencyKey=f"{word} {each}") for each in (other, third, fourth)]
    await _begin(api, job, word)
    await _fail(api, failed, word)
    person = (await api.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    companion = (await (await api.member(project, "COMMENTER")).ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    things = {
        "User": person,
        "Member": companion,
        "Project": project,
        "Chapter": chapter,
        "OtherChapter": other,
        "ReferenceFile": file,
        "EarlierVersion": first,
        "EarlierDraft": draft,
        "ChapterVersion": version,
        "Assessment": assessment,
        "Finding": finding,
        "DismissedFinding": dismissed,
        "Job": job,
        "FailedJob": failed,
        "WaitingJob": waiting,
    }
    _write_besides(owner, things, word)
    return things


def _write_besides(owner: "psycopg.Connection[tuple[object, ...]]", things: Mapping[str, str], word: str) -> None:
    named = {
        "project": "Project",
        "chapter": "Chapter",
        "draft": "EarlierDraft",
        "version": "ChapterVersion",
        "assessment": "Assessment",
        "job": "Job",
        "failed_job": "FailedJob",
        "waiting_job": "WaitingJob",
    }
    ids: dict[str, UUID] = {name: uuid_of(things[thing]) for name, thing in named.items()}
    texts = {"word": word, "quote": QUOTE, "waiting": _WAITING.format(word), "failure": _FAILURE.format(word)}
    with psycopg.ClientCursor(owner) as cursor:
        cursor.execute(_WRITTEN_BESIDES, {**ids, **texts})


def _two_prompts(word: str, file: str) -> tuple[Prompt, Prompt]:
    """Of which each has something that the other has not, and two things are sent at other lengths."""
    built = any_prompt()
    (any_item,) = built.receipt.items
    source = Source(SourceKind.REFERENCE_FILE, uuid_of(file))

    def made(*lengths: tuple[str, int]) -> Prompt:
        items = tuple(
            replace(any_item, source=source, label=f"{word} {group}", group=f"{group} {word}", evidence=(word,), tokens=tokens)
            for group, tokens in lengths
        )
        messages = (Message(Speaker.SYSTEM, word), *built.messages[1:])
        return replace(built, messages=messages, receipt=replace(built.receipt, items=items))

    return made(("brief", 12), ("cast", 12), ("world", 20)), made(("style", 12), ("cast", 20), ("world", 12))


async def _judge(api: Api, version: str, word: str, file: str) -> tuple[str, str, str]:
    """An assessment, what it found, and what was dismissed of that."""
    conflict = FindingEvidence(Source(SourceKind.REFERENCE_FILE, uuid_of(file)), word)
    issue = an_issue(message=word, suggestion=word, replacement=word, quote=QUOTE, metric=word, conflicts_with=conflict)
    metric = ProseMetric(
        name=word, value=1.0, unit=word, description=word, typical_low=0.0, typical_high=2.0, typical_source=word, z_score=1.0
    )
    assessment = await api.assessment(
        version,
        issue,
        replace(issue, message=f"{word} again."),
        dimensions=(DimensionScore(name=word, score=80.0, rationale=word),),
        metrics=(metric,),
        notes=(word,),
        judge=word,
        rubric=word,
    )
    finding, dismissed = await api.findings(assessment)
    await api.mutate("dismissFinding", "id", findingId=dismissed, reason=word)
    return assessment, finding, dismissed


async def _begin(api: Api, job: str, word: str) -> Claim:
    """A worker is at it, has written something, and has paid for a call."""
    claim = await api.work(
        job,
        Progressed(JobStage.DRAFTING, 0.5, word),
        TextAppended("draft/1", 0, word),
        TextReplaced("draft/1", 0, word),
        StepFinished("draft/1", Usage(calls=1)),
    )
    call = replace(intent(step=word, request_hash=word), model=word)
    assert await api.desk.intend(claim, call) is None
    await api.desk.record(claim, call, replace(RESULT, text=word), at=api.clock())
    return claim


async def _fail(api: Api, job: str, word: str) -> None:
    failure = JobFailure(code=word, message=word, retryable=True)
    await api.desk.finish(await api.work(job), Ending(status=JobStatus.FAILED, at=api.clock(), failure=failure, remark=word))
