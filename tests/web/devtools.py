"""A headless Chromium, driven through the Chrome DevTools Protocol."""

import asyncio
import base64
import contextlib
import json
import shutil
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from itertools import count

from websockets.asyncio.client import ClientConnection, connect

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--window-size=1400,850",
)
# Every name but this machine's fails to resolve: a page that needs another origin breaks, and is seen to.
ONLY_LOOPBACK = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
START_SECONDS = 30
STOP_SECONDS = 10
COMMAND_SECONDS = 30


class Page:
    """One tab of the browser, and everything it asked for and complained about."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._session: dict[str, str] = {}
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[dict]] = {}
        self._loaded = asyncio.Event()
        self.requested: list[str] = []
        self.failed: list[str] = []
        self.complaints: list[str] = []
        self.sockets: list[str] = []
        self.frames: list[str] = []

    async def attach(self) -> None:
        target = await self.send("Target.createTarget", url="about:blank")
        attached = await self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.send(f"{domain}.enable")

    async def send(self, method: str, **parameters: object) -> dict:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._connection.send(json.dumps({"id": number, "method": method, "params": parameters, **self._session}))
        async with asyncio.timeout(COMMAND_SECONDS):
            return await answer

    async def open(self, address: str) -> None:
        await self._load("Page.navigate", url=address)

    async def reload(self) -> None:
        await self._load("Page.reload")

    async def _load(self, method: str, **parameters: object) -> None:
        self._loaded.clear()
        await self.send(method, **parameters)
        async with asyncio.timeout(COMMAND_SECONDS):
            await self._loaded.wait()

    async def evaluate(self, expression: str) -> object:
        """The value of a JavaScript expression, awaited if it is a promise; raises `AssertionError` if it throws."""
        answer = await self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, condition: str, *, seconds: float = 20) -> object:
        """The first truthy value of a JavaScript expression, looked at on every frame; `AssertionError` when late."""
        looked_at = f"(() => {{ try {{ return ({condition}); }} catch {{ return null; }} }})()"
        frames = f"""new Promise((resolve) => {{
            const end = performance.now() + {seconds * 1000};
            const look = () => {{
                const value = {looked_at};
                if (value || performance.now() > end) resolve(value); else setTimeout(look, 16);
            }};
            look();
        }})"""
        value = await self.evaluate(frames)
        assert value, f"not within {seconds} s: {condition}"
        return value

    async def screenshot(self) -> bytes:
        """What the page looks like, as PNG."""
        return base64.b64decode((await self.send("Page.captureScreenshot", format="png"))["data"])

    async def listen(self) -> None:
        async for frame in self._connection:
            message = json.loads(frame)
            if "id" in message:
                self._settle(message)
            else:
                self._note(message["method"], message["params"])

    def _settle(self, message: dict) -> None:
        answer = self._answers.pop(message["id"])
        if answer.done():
            return
        if "error" in message:
            answer.set_exception(AssertionError(message["error"]["message"]))
        else:
            answer.set_result(message["result"])

    def _note(self, event: str, about: dict) -> None:
        if event == "Page.loadEventFired":
            self._loaded.set()
        elif event.startswith("Network."):
            self._note_traffic(event, about)
        else:
            self._note_complaint(event, about)

    def _note_traffic(self, event: str, about: dict) -> None:
        match event:
            case "Network.requestWillBeSent":
                self.requested.append(about["request"]["url"])
            case "Network.webSocketCreated":
                self.sockets.append(about["url"])
            case "Network.webSocketFrameSent":
                self.frames.append(about["response"]["payloadData"])
            case "Network.loadingFailed" if not about.get("canceled"):
                self.failed.append(about["errorText"])
            case "Network.responseReceived" if about["response"]["status"] >= 400:
                self.failed.append(f"{about['response']['status']} {about['response']['url']}")

    def _note_complaint(self, event: str, about: dict) -> None:
        match event:
            case "Runtime.consoleAPICalled" if about["type"] in {"error", "assert"}:
                self.complaints.append(json.dumps(about["args"]))
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(about["exceptionDetails"]))
            case "Log.entryAdded" if about["entry"]["level"] == "error":
                self.complaints.append(json.dumps(about["entry"]))


@contextlib.asynccontextmanager
async def chromium_page() -> AsyncIterator[Page]:
    """A blank page in a browser of its own, which ends with the context."""
    async with _browser() as address, connect(address, max_size=None) as connection:
        page = Page(connection)
        listening = asyncio.create_task(page.listen(), name="devtools")
        try:
            await page.attach()
            yield page
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


@contextlib.asynccontextmanager
async def _browser() -> AsyncIterator[str]:
    """The address at which a new Chromium takes commands; it announces it on its standard error."""
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert executable, "these tests need a Chromium: install it (on Debian `apt-get install chromium`)"
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        command = (executable, *FLAGS, ONLY_LOOPBACK, f"--user-data-dir={profile}")
        browser = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=PIPE)
        assert browser.stderr is not None
        try:
            async with asyncio.timeout(START_SECONDS):
                announcement = b""
                while b"DevTools listening on " not in announcement:
                    announcement = await browser.stderr.readline()
                    assert announcement, "Chromium ended before it took commands"
            yield announcement.decode().split()[-1]
        finally:
            with contextlib.suppress(ProcessLookupError):
                browser.terminate()
            # Reads what is left of its standard error too: a full pipe would keep it from ending.
            await asyncio.wait_for(browser.communicate(), timeout=STOP_SECONDS)
