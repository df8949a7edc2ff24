"""What the operator sets about models reaches the calls that are made."""

from domain.jobs.timing import Pauses
from tests.fakes.model_server import ScriptedModelServer, reply, stalls, stalls_before_headers
from tests.server import story
from tests.server.running import running

PATIENT, HASTY = 20.0, 0.2


async def test_silence_is_borne_for_as_long_as_it_was_set(database_url: str):
    """Before the first text and behind it, each by a deadline of its own; the other one would outlast this test."""
    silences = {"model_first_token_seconds": stalls_before_headers(), "model_silence_seconds": stalls("Half of")}
    for setting, silence in silences.items():
        deadlines = {"model_first_token_seconds": PATIENT, "model_silence_seconds": PATIENT, setting: HASTY}
        pauses = Pauses(between_attempts=0.01)
        async with ScriptedModelServer(silence, reply(" it.")) as model:
            async with running(database_url, model_url=model.url, pauses=pauses, **deadlines) as app, app.client() as ada:
                events = await story.watch(ada, await story.start(ada, await story.new_chapter(ada)))
            assert events[-1]["job"]["status"] == "SUCCEEDED"
            assert model.calls[1].arrived_at - model.calls[0].arrived_at < PATIENT / 2
