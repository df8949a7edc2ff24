"""What can go wrong with a call to a model, and how it ends: the one table that tests run and docs/model-faults.md shows.

python -m tests.reliability.model_faults      prints the page's table
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from domain.jobs.attempts import ATTEMPTS
from domain.jobs.drafting import MAXIMUM_PARTS
from domain.jobs.questions import ANSWERS, AnswerUnusable
from domain.llm import failures as f
from tests.fakes import model_server as s

TEXT = "Mara went down to the causeway and "
"""What a call brings that brings anything."""
LONG_TEXT = TEXT * 9
"""Enough of it that two calls write more than one and a half times what is asked for."""
HOUR = 3600
ANSWER = json.dumps({"findings": [], "rationale": "It is told plainly.", "score": 55, "overall": 60})
"""What a judge's call brings that goes well."""
HALF = ANSWER[: len(ANSWER) // 2]


class Where(Enum):
    """What no scripted server can be behind."""

    NOBODY_LISTENS = auto()
    NO_SUCH_HOST = auto()
    NO_TLS = auto()
    UNSENDABLE_KEY = auto()


class Paid(Enum):
    """What of a faulty call enters the ledger."""

    NOTHING = "nothing"
    COUNTED = "our count"
    REPORTED = "as reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`calls` are made when every one goes like this; the job then ends with `failure`, or succeeds if there is none.

    `text` is what each such call brings, `lie` the tokens of prompt and completion that it claims to have used. `hasty`: only a deadline
    can tell. `shuts_out`: nobody else may come either.
    """

    what: str
    cause: s.Behaviour | Where
    does: str
    calls: int
    failure: type[f.ModelFailure] | None
    paid: Paid
    text: str = ""
    hasty: bool = False
    shuts_out: bool = False
    lie: tuple[int, int] | None = None

    @property
    def passes(self) -> bool:
        """Whether the job outlives it when it happens only now and then."""
        return self.failure is not None and self.calls > 1


def asked_again(what: str, cause: s.Behaviour | Where, failure: type[f.ModelFailure], paid: Paid, *, hasty: bool = False) -> Fault:
    """Brings nothing, and may be over in a moment."""
    does = "Asks again" if failure is f.ModelEmpty else "Asks again; too often in a row, and this model is left alone for a while"
    return Fault(what=what, cause=cause, does=does, calls=ATTEMPTS, failure=failure, paid=paid, hasty=hasty)


def continued(what: str, cause: s.Behaviour, failure: type[f.ModelFailure], *, hasty: bool = False) -> Fault:
    """Brings text that breaks off."""
    does = "Keeps the text, and has it continued from its tail"
    return Fault(what=what, cause=cause, does=does, calls=ATTEMPTS, failure=failure, paid=Paid.COUNTED, text=TEXT, hasty=hasty)


def final(what: str, cause: s.Behaviour | Where, failure: type[f.ModelFailure], paid: Paid = Paid.NOTHING) -> Fault:
    """Asking again would change nothing."""
    return Fault(what=what, cause=cause, does="Ends the job at once", calls=1, failure=failure, paid=paid)


def taken(
    what: str, cause: s.Behaviour, does: str, *, paid: Paid = Paid.REPORTED, text: str = TEXT, lie: tuple[int, int] | None = None
) -> Fault:
    """No failure at all."""
    return Fault(what=what, cause=cause, does=does, calls=1, failure=None, paid=paid, text=text, lie=lie)


FAULTS = (
    Fault(
        what="429 with `Retry-After`",
        cause=s.fails(429, retry_after=0.03),
        does="Asks again when it may; all other calls of the process to this model wait until then, too",
        calls=ATTEMPTS,
        failure=f.ModelRateLimited,
        paid=Paid.NOTHING,
    ),
    Fault(
        what="429 with a `Retry-After` above 5 minutes",
        cause=s.fails(429, retry_after=HOUR),
        does="Ends the job at once, and until then every job that comes to this model, without a call",
        calls=1,
        failure=f.ModelRateLimited,
        paid=Paid.NOTHING,
        shuts_out=True,
    ),
    Fault(
        what="429 without `Retry-After`",
        cause=s.fails(429),
        does="Asks again",
        calls=ATTEMPTS,
        failure=f.ModelRateLimited,
        paid=Paid.NOTHING,
    ),
    asked_again("500", s.fails(500), f.ModelUnavailable, Paid.NOTHING),
    asked_again("502, with a page of HTML", s.fails(502, body=b"<html>Bad gateway</html>"), f.ModelUnavailable, Paid.NOTHING),
    asked_again("503", s.fails(503), f.ModelUnavailable, Paid.NOTHING),
    asked_again("529", s.fails(529), f.ModelUnavailable, Paid.NOTHING),
    asked_again("Connection refused", Where.NOBODY_LISTENS, f.ModelUnavailable, Paid.NOTHING),
    asked_again("The host's name cannot be resolved", Where.NO_SUCH_HOST, f.ModelUnavailable, Paid.NOTHING),
    asked_again("TLS handshake fails", Where.NO_TLS, f.ModelUnavailable, Paid.NOTHING),
    asked_again("Connection reset before the headers", s.resets_before_headers(), f.ModelUnavailable, Paid.NOTHING),
    asked_again("Connection closed before the headers", s.closes_before_headers(), f.ModelUnavailable, Paid.NOTHING),
    asked_again("Silence before the headers", s.stalls_before_headers(), f.ModelStalled, Paid.NOTHING, hasty=True),
    asked_again("Silence before the first text", s.stalls(), f.ModelStalled, Paid.COUNTED, hasty=True),
    asked_again("Nothing but comments", s.stalls(comments=0.05), f.ModelStalled, Paid.COUNTED, hasty=True),
    asked_again("Empty body", s.empty_body(), f.ModelInterrupted, Paid.COUNTED),
    asked_again("A page of HTML with 200", s.wrong_content_type(), f.ModelMalformed, Paid.COUNTED),
    asked_again("Events in another schema", s.sends_wrong_schema(), f.ModelMalformed, Paid.COUNTED),
    asked_again("Ends well, without any text", s.reply(""), f.ModelEmpty, Paid.REPORTED),
    continued("Connection reset after some text", s.resets(TEXT), f.ModelInterrupted),
    continued("Connection closed within an event", s.truncates(TEXT), f.ModelInterrupted),
    continued("The stream ends without a reason and without `[DONE]`", s.ends_early(TEXT), f.ModelInterrupted),
    continued("Silence after some text", s.stalls(TEXT), f.ModelStalled, hasty=True),
    continued("Invalid JSON after some text", s.sends_invalid_json(TEXT), f.ModelMalformed),
    continued("Invalid UTF-8 after some text", s.sends_invalid_utf8(TEXT), f.ModelMalformed),
    continued("An error told in the stream after some text", s.sends_error_event(TEXT), f.ModelUnavailable),
    final("401 or 403", s.fails(401), f.ModelCredentialsRefused),
    final("A key that no header can hold", Where.UNSENDABLE_KEY, f.ModelMisconfigured),
    final("402, or 429 because the credit is used up", s.fails(429, code="insufficient_quota"), f.ModelQuotaExhausted),
    final("400 or 422", s.fails(400), f.ModelRejectedRequest),
    final("The model is unknown", s.fails(404, code="model_not_found"), f.ModelUnknown),
    final("The prompt is too long for the model", s.fails(400, code="context_length_exceeded"), f.ModelContextExceeded),
    final("The content policy rejects the prompt", s.fails(400, code="content_policy_violation"), f.ModelRefusedContent),
    final("A refusal", s.refuses(), f.ModelRefusedContent, Paid.COUNTED),
    final("The content filter ends it before any text", s.filters(), f.ModelRefusedContent, Paid.REPORTED),
    final("All tokens go into hidden reasoning", s.reply("", finish="length"), f.ModelLengthExhausted, Paid.REPORTED),
    Fault(
        what="The content filter ends it after some text",
        cause=s.filters(TEXT),
        does="Keeps the text, and ends the job: half a chapter is no draft. A retry goes on from the text's tail",
        calls=1,
        failure=f.ModelRefusedContent,
        paid=Paid.REPORTED,
        text=TEXT,
    ),
    Fault(
        what="Ends for its length",
        cause=s.reply(LONG_TEXT, finish="length"),
        does=f"Has it continued, until the text is half as long again as asked for, or has {MAXIMUM_PARTS} such parts",
        calls=2,
        failure=None,
        paid=Paid.REPORTED,
        text=LONG_TEXT,
    ),
    taken("Usage is missing", s.reply(TEXT, usage=None), "Counts the tokens itself", paid=Paid.COUNTED),
    taken(
        "Usage is impossible",
        s.reply(TEXT, usage={"prompt_tokens": -5, "completion_tokens": "many"}),
        "Counts the tokens itself",
        paid=Paid.COUNTED,
    ),
    taken(
        "Usage is wrong, but possible",
        s.reply(TEXT, usage={"prompt_tokens": 7, "completion_tokens": 7_000}),
        "Believes it: it is what the provider will bill",
        lie=(7, 7_000),
    ),
    taken("Ten times slower than usual", s.reply(TEXT, chunk=4, delay=0.03), "Waits: only silence has a deadline, not a whole answer"),
    taken("A chunk comes twice", s.reply(TEXT, chunk=len(TEXT), copies=2), "Keeps both: prose may repeat itself", text=2 * TEXT),
    taken("Events of an unknown type", s.among_strange_events(s.reply(TEXT)), "Passes over them"),
)


def unusable(what: str, cause: s.Behaviour, paid: Paid = Paid.COUNTED, *, text: str = HALF, hasty: bool = False) -> Fault:
    """Brings what is no answer to a judge's question."""
    does = "Asks once more, and says what was wrong"
    return Fault(what=what, cause=cause, does=does, calls=ANSWERS, failure=AnswerUnusable, paid=paid, text=text, hasty=hasty)


INVENTED = {"category": "PROSE", "severity": "MAJOR", "quote": "Nobody ever wrote this.", "before": "", "after": "", "conflict": None}
FAULTS_OF_JUDGES = (
    *(fault for fault in FAULTS if not fault.text),
    unusable("Connection reset after half an answer", s.resets(HALF)),
    unusable("Connection closed within an event", s.truncates(HALF)),
    unusable("The stream ends without a reason and without `[DONE]`", s.ends_early(HALF)),
    unusable("Silence after half an answer", s.stalls(HALF), hasty=True),
    unusable("Invalid JSON of the stream after half an answer", s.sends_invalid_json(HALF)),
    unusable("Invalid UTF-8 after half an answer", s.sends_invalid_utf8(HALF)),
    unusable("An error told in the stream after half an answer", s.sends_error_event(HALF)),
    unusable("The content filter ends it after half an answer", s.filters(HALF), Paid.REPORTED),
    unusable("Ends for its length", s.reply(HALF, finish="length"), Paid.REPORTED),
    unusable("Prose instead of JSON", s.reply(TEXT), Paid.REPORTED, text=TEXT),
    unusable("JSON of another form", s.reply('{"verdict": "good"}'), Paid.REPORTED),
    unusable("A score that is none", s.reply(ANSWER.replace("55", "720")), Paid.REPORTED),
    taken("Connection reset after the whole answer", s.resets(ANSWER), "Takes it: nothing is missing", paid=Paid.COUNTED, text=ANSWER),
    taken("Talk and a code fence around the answer", s.reply(f"Gladly.\n```json\n{ANSWER}\n```"), "Takes what is meant", text=ANSWER),
    taken(
        "Quotes what is not in the text",
        s.reply(json.dumps({**json.loads(ANSWER), "findings": [{**INVENTED, "message": "Said twice."}]})),
        "Leaves that finding out, and says in the notes that it did",
        text=ANSWER,
    ),
    taken("A chunk comes twice", s.reply(ANSWER, chunk=len(ANSWER), copies=2), "Takes the last of the answers", text=ANSWER),
    taken("Usage is missing", s.reply(ANSWER, usage=None), "Counts the tokens itself", paid=Paid.COUNTED, text=ANSWER),
    taken(
        "Usage is impossible",
        s.reply(ANSWER, usage={"prompt_tokens": -5, "completion_tokens": "many"}),
        "Counts the tokens itself",
        paid=Paid.COUNTED,
        text=ANSWER,
    ),
    taken(
        "Usage is wrong, but possible",
        s.reply(ANSWER, usage={"prompt_tokens": 7, "completion_tokens": 7_000}),
        "Believes it: it is what the provider will bill",
        lie=(7, 7_000),
        text=ANSWER,
    ),
    taken("Ten times slower than usual", s.reply(ANSWER, chunk=20, delay=0.03), "Waits: only silence has a deadline", text=ANSWER),
    taken("Events of an unknown type", s.among_strange_events(s.reply(ANSWER)), "Passes over them", text=ANSWER),
)
"""What can go wrong with a call to a judge. The first of them bring nothing, and go as with any other call."""

ADVICE: dict[type[f.ModelFailure], str] = {
    f.ModelUnavailable: "Look at the provider's status page and at `OPENAI_BASE_URL`; then retry the job",
    f.ModelRateLimited: "Retry the job later; set `SCRIPTORIUM_MODEL_REQUESTS_PER_MINUTE` and `…_TOKENS_PER_MINUTE` to what the account allows",
    f.ModelStalled: "Retry the job; give a slow model more `SCRIPTORIUM_MODEL_FIRST_TOKEN_SECONDS` or `…_SILENCE_SECONDS`",
    f.ModelInterrupted: "Retry the job; look at proxies between here and the provider",
    f.ModelMalformed: "Look at `OPENAI_BASE_URL`: it usually ends in `/v1`; then retry the job",
    f.ModelEmpty: "Retry the job, or choose another model",
    f.ModelCredentialsRefused: "Repair `OPENAI_API_KEY`, restart, retry the job",
    f.ModelMisconfigured: "Repair `OPENAI_API_KEY` or `OPENAI_BASE_URL`, restart, retry the job",
    f.ModelQuotaExhausted: "Top up the credit, retry the job",
    f.ModelRejectedRequest: "Change the model or its settings, start a new job",
    f.ModelUnknown: "Choose another model, start a new job",
    f.ModelContextExceeded: "Lower the token budget, start a new job",
    f.ModelRefusedContent: "Change the brief or the model and start a new job, or retry this one",
    f.ModelLengthExhausted: "Choose a model that reasons less, start a new job",
    AnswerUnusable: "Retry the job: it is asked twice more; or choose another model for assessments, start a new job",
}


def tables() -> list[str]:
    """Of the page, line by line: what happens, and what to do then."""
    return [
        *_table("what happened", "what Scriptorium does", "calls in a row", "paid for each", "how the job ends", rows=map(_fault, FAULTS)),
        *_table(
            "what happened",
            "what Scriptorium does",
            "calls in a row",
            "paid for each",
            "how the job ends",
            rows=map(_of_judge, FAULTS_OF_JUDGES),
        ),
        *_table("`failure.code`", "`retryable`", "what to do", rows=map(_advice, ADVICE)),
    ]


def _table(*headings: str, rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (headings, ("---",) * len(headings), *rows)]


def _fault(fault: Fault) -> tuple[str, ...]:
    kept = ", with the text as `PARTIAL`" if fault.text else ""
    end = f"`{fault.failure.code}`{kept}" if fault.failure else "`SUCCEEDED`"
    return fault.what, fault.does, str(fault.calls), fault.paid.value, end


def _of_judge(fault: Fault) -> tuple[str, ...]:
    end = f"`{fault.failure.code}`, with what was measured" if fault.failure else "`SUCCEEDED`"
    return fault.what, fault.does, str(fault.calls), fault.paid.value, end


def _advice(failure: type[f.ModelFailure]) -> tuple[str, ...]:
    return f"`{failure.code}`", "yes" if failure.retryable else "no", ADVICE[failure]


if __name__ == "__main__":
    print("\n".join(tables()))  # noqa: T201
