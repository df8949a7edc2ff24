"""GraphiQL as a newcomer meets it: in a browser, without the internet, pressing play in one tab after the other."""

from urllib.parse import urlsplit

import pytest

from tests.web.graphiql_page import OPERATION, RESPONSE, VARIABLES, open_tab, press_play, start, stop, tab_titles, wait_for_editor
from tests.web.stub_app import EVENTS, TOKEN

pytestmark = pytest.mark.browser


async def in_colours(page, scheme):
    await page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


async def test_the_story_runs_by_pressing_play_in_each_tab(page, graphiql_address):
    await wait_for_editor(page)
    titles = await tab_titles(page)
    assert titles == ["WhoAmI", "CreateProject", "ReadProject", "WatchJob"]
    answers = {}
    for title in titles:
        await open_tab(page, title)
        answers[title] = await press_play(page)

    assert answers["WhoAmI"] == {"data": {"viewer": {"user": {"name": "Ada"}}}}
    assert answers["ReadProject"]["data"]["project"]["id"] == answers["CreateProject"]["data"]["createProject"]["project"]["id"]
    watched = answers["WatchJob"]
    assert watched["data"]["jobEvents"] == {"sequence": EVENTS, "text": f"project_1 wrote sentence {EVENTS}."}
    assert [event["jobEvents"]["sequence"] for event in watched["earlier"]] == list(range(EVENTS - 1, EVENTS - 21, -1))

    own = urlsplit(graphiql_address).netloc
    assert {urlsplit(url).netloc for url in page.requested + page.sockets if not url.startswith(("data:", "blob:"))} == {own}
    assert len(page.sockets) == 1
    assert page.failed == []
    assert page.complaints == []


async def test_a_tab_whose_id_does_not_exist_yet_says_what_to_run_first(page):
    await wait_for_editor(page)
    await open_tab(page, "ReadProject")
    [error] = (await press_play(page))["errors"]
    assert error["message"] == "Run the tab CreateProject first, or put an id in place of PASTE-PROJECT-ID in the variables."


async def test_stop_ends_a_subscription_that_is_waiting_for_its_next_event(page):
    await wait_for_editor(page)
    await open_tab(page, "WatchJob")
    await page.evaluate(f"""{VARIABLES}.setValue('{{ "jobId": "endless" }}')""")
    await start(page)
    await page.until(f"{RESPONSE}.getValue().includes('wrote sentence {EVENTS}.')")
    assert not any('"complete"' in frame for frame in page.frames)
    await stop(page)
    assert any('"complete"' in frame for frame in page.frames)


async def test_a_reload_keeps_the_tabs_and_gets_a_token_without_ever_storing_one(page):
    await wait_for_editor(page)
    await open_tab(page, "CreateProject")
    await press_play(page)
    stored = "JSON.stringify({...localStorage, ...sessionStorage})"
    # GraphiQL writes its tabs down only once they have been left alone for a moment.
    await page.until(f"{stored}.includes('WhoAmI')")
    assert TOKEN not in await page.evaluate(stored)

    await page.reload()
    await wait_for_editor(page)
    await open_tab(page, "ReadProject")
    assert (await press_play(page))["data"]["project"]["id"] == "project_1"


async def test_the_schema_is_documented_and_names_are_completed(page):
    await wait_for_editor(page)
    await page.evaluate("document.querySelector('[aria-label=\"Show Documentation Explorer\"]').click()")
    await page.until("document.body.innerText.includes('Root Types') && document.body.innerText.includes('Query')")

    await page.evaluate(f"{OPERATION}.setValue('{{ view')")
    await page.evaluate(
        f"""(() => {{
            const editor = globalThis.__MONACO.editor.getEditors().find((each) => each.getModel() === {OPERATION});
            editor.focus();
            editor.setPosition({{ lineNumber: 1, column: 7 }});
            editor.trigger('test', 'editor.action.triggerSuggest');
        }})()"""
    )
    await page.until("[...document.querySelectorAll('.suggest-widget .monaco-list-row')].some((row) => row.innerText.includes('viewer'))")
    assert page.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_follows_the_colours_of_the_system(page, tmp_path, scheme):
    await in_colours(page, scheme)
    await page.reload()
    await wait_for_editor(page)
    await press_play(page)
    (tmp_path / f"graphiql-{scheme}.png").write_bytes(await page.screenshot())

    background = "getComputedStyle(document.querySelector('.graphiql-container')).backgroundColor.match(/\\d+/g).map(Number)"
    assert (max(await page.evaluate(background)) < 80) is (scheme == "dark")
    assert await page.evaluate("document.title") == "Scriptorium"
    assert await page.evaluate("document.querySelector('.graphiql-logo').innerText") == "Scriptorium"
