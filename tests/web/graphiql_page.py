"""What a person does in GraphiQL: look at the tabs, open one, press play, read the response."""

import json

from tests.web.devtools import Page

_EDITOR = "document.querySelector('.graphiql-query-editor .monaco-editor .view-line') !== null"
_TABS = "[...document.querySelectorAll('.graphiql-tab-button')]"
_PLAY = "document.querySelector('.graphiql-execute-button')"
_IDLE = f"{_PLAY}.getAttribute('aria-label').startsWith('Execute')"


def editor_text(name: str) -> str:
    """The JavaScript expression of an editor's model; it holds the lines beyond the visible ones, too."""
    return f"globalThis.__MONACO.editor.getModels().find((model) => model.uri.path.endsWith('{name}'))"


OPERATION = editor_text("operation.graphql")
VARIABLES = editor_text("variables.json")
RESPONSE = editor_text("response.json")


async def wait_for_editor(page: Page) -> None:
    await page.until(_EDITOR)


async def tab_titles(page: Page) -> list[str]:
    return await page.evaluate(f"{_TABS}.map((button) => button.textContent)")


async def open_tab(page: Page, title: str) -> None:
    button = f"{_TABS}.find((button) => button.textContent === '{title}')"
    await page.evaluate(f"{button}.click()")
    await page.until(f"{button}.parentElement.classList.contains('graphiql-tab-active')")


async def press_play(page: Page, *, seconds: float = 20) -> dict:
    """Runs the open tab to its end, subscriptions too, and returns what the response pane holds then."""
    await start(page)
    await page.until(f"{_IDLE} && {RESPONSE}.getValue()", seconds=seconds)
    return await response(page)


async def start(page: Page) -> None:
    await page.until(_IDLE)
    await page.evaluate(f"{RESPONSE}.setValue('')")
    await page.evaluate(f"{_PLAY}.click()")


async def stop(page: Page) -> None:
    await page.until(f"!({_IDLE})")
    await page.evaluate(f"{_PLAY}.click()")
    await page.until(_IDLE)


async def response(page: Page) -> dict:
    return json.loads(await page.evaluate(f"{RESPONSE}.getValue()"))
