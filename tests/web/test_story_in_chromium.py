"""The whole story in GraphiQL, in a browser, against the real application."""

from collections.abc import AsyncIterator

import pytest

from tests.server.running import running
from tests.web.graphiql_page import open_tab, press_play, tab_titles, wait_for_editor

pytestmark = pytest.mark.browser


@pytest.fixture
async def graphiql_address(database_url: str) -> AsyncIterator[str]:
    async with running(database_url, rehearsal=True, rehearsal_words_per_second=300.0, openai_api_key=None) as served:
        yield f"{served.address}/graphiql"


async def test_a_newcomer_presses_play_in_each_tab_and_has_a_chapter(page, tmp_path):
    await wait_for_editor(page)
    answers = {}
    for title in await tab_titles(page):
        await open_tab(page, title)
        answers[title] = await press_play(page, seconds=40)
        assert "errors" not in answers[title], (title, answers[title])
    assert answers["WatchJob"]["data"]["jobEvents"]["__typename"] == "JobFinished"
    assert answers["ReadChapter"]["data"]["chapter"]["currentVersion"]["wordCount"] > 100
    (payload,) = answers["EditChapter"]["data"].values()
    assert payload["errors"] == []
    assert page.complaints == []
