"""The demo tells its whole story through the public API."""

import io

from rich.console import Console

from commands.demo.sample import read_sample
from commands.demo.screen import Screen
from commands.demo.story import tell
from tests.server.running import running


async def test_the_demo_watches_leaves_returns_cancels_and_reads(database_url: str):
    screen, printed = Screen(), io.StringIO()
    screen.console = Console(file=printed, width=120, force_terminal=False)
    # A human pace, so that there is something left to cancel; fast enough for a test.
    async with (
        running(database_url, rehearsal=True, rehearsal_words_per_second=400.0, openai_api_key=None) as served,
        served.client("demo") as client,
    ):
        await tell(client, read_sample(), screen)
    story = printed.getvalue()
    assert "words are kept as a PARTIAL version" in story
    assert "none missed, none twice" in story
    assert "a rehearsal: no language model is called" in story
    assert "Its receipt" in story
    assert "2 DRAFT" in story
