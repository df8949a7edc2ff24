"""What must be true of a job's rows at any moment, whatever has been done to whoever wrote them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

# One statement, so that all of it is of one moment.
_STATES = """
    SELECT to_jsonb(job) AS job,
           (SELECT coalesce(jsonb_agg(event ORDER BY sequence), '[]') FROM job_event AS event WHERE event.job_id = job.id) AS log,
           (SELECT coalesce(jsonb_agg(jsonb_build_array(call_id, uncertain, calls)), '[]')
            FROM ledger_entry AS entry WHERE entry.job_id = job.id) AS calls
    FROM job WHERE %s OR id = ANY(%s)
"""
FINAL = {"SUCCEEDED", "FAILED", "CANCELLED"}
# A job that is claimed again because its worker was lost is told to run once more.
FOLLOWS = {
    None: {"QUEUED"},
    "QUEUED": {"RUNNING", "CANCELLING", "CANCELLED"},
    "RUNNING": {"RUNNING", "QUEUED", "WAITING", "CANCELLING", *FINAL},
    "WAITING": {"QUEUED", "CANCELLED"},
    "CANCELLING": FINAL,
    "SUCCEEDED": set(),
    "FAILED": {"QUEUED"},
    "CANCELLED": {"QUEUED"},
}


class Books:
    """The rows as the owner of the tables sees them."""

    def __init__(self, owner_url: str) -> None:
        self._connection = psycopg.connect(owner_url, autocommit=True, row_factory=dict_row)

    def close(self) -> None:
        self._connection.close()

    def rows(self, statement: str, *parameters: object) -> list[dict[str, Any]]:
        return self._connection.execute(statement, parameters).fetchall()  # type: ignore[call-overload]

    def job(self, job_id: UUID) -> dict[str, Any]:
        (row,) = self.rows("SELECT * FROM job WHERE id = %s", job_id)
        return row

    def log(self, job_id: UUID) -> list[dict[str, Any]]:
        return self.rows("SELECT sequence, kind, body, at FROM job_event WHERE job_id = %s ORDER BY sequence", job_id)

    def paid(self, job_id: UUID) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM ledger_entry WHERE job_id = %s ORDER BY at, id", job_id)

    def assert_legal(self, *job_ids: UUID) -> None:
        """Of these jobs, or of all."""
        for state in self.rows(_STATES, not job_ids, list(job_ids)):
            job, log, calls = state["job"], state["log"], state["calls"]
            assert [event["sequence"] for event in log] == list(range(1, job["last_sequence"] + 1)), "the log has no gap and no double"
            _assert_history(job["status"], log)
            _assert_text_fits(log)
            _assert_held_by_one(job)
            assert len(calls) == len({tuple(call) for call in calls}), "no call is entered twice"


def _assert_history(status: str, log: Sequence[dict[str, Any]]) -> None:
    told: str | None = None
    for event, following in zip(log, [*log[1:], None], strict=True):
        if event["kind"] == "StatusChanged":
            assert event["body"]["status"] in FOLLOWS[told], f"{told} is not followed by {event['body']['status']}"
            told = event["body"]["status"]
            ends = following is not None and following["kind"] == "Finished"
            assert ends == (told in FINAL), "a final status, and nothing else, is followed by the end of the log"
        elif event["kind"] != "Finished":
            assert told not in FINAL, "nothing is written behind the end"
    assert told == status, "the last status that was told is the job's"


def _assert_text_fits(log: Sequence[dict[str, Any]]) -> None:
    """Each piece begins where the text shown so far ends, or takes some of it back."""
    shown = 0
    for event in log:
        match event["kind"]:
            case "TextAppended":
                assert event["body"]["offset"] == shown, "text is appended where the last has ended"
                shown += len(event["body"]["text"])
            case "TextReplaced":
                assert event["body"]["offset"] <= shown
                shown = event["body"]["offset"] + len(event["body"]["text"])


def _assert_held_by_one(job: dict[str, Any]) -> None:
    assert job["reserved"] >= 0
    assert (job["finished_at"] is not None) == (job["status"] in FINAL)
    if job["status"] in {"RUNNING", "CANCELLING"}:
        assert job["lease_until"] is not None
    else:
        assert job["worker"] is None
    if job["status"] in FINAL:
        assert (job["reserved"], job["lease_until"]) == (0, None)
