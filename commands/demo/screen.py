"""The demo's part of the terminal: what is happening, a live progress bar, and the text as it arrives."""

from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from commands.demo.client import Data

LINES_SHOWN = 12


class Screen:
    def __init__(self) -> None:
        self.console = Console(highlight=False)

    def step(self, text: str) -> None:
        self.console.print(f"\n[bold]{text}[/bold]")

    def say(self, text: str) -> None:
        self.console.print(Padding(Text(text), (0, 2)))

    def chapter(self) -> "ChapterView":
        return ChapterView(self.console)


class ChapterView:
    """Shows one job's events; a context manager. `text` is what a follower shows after them, `cursor` where to go on from."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("  {task.fields[stage]:<9}"),
            BarColumn(40),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[message]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._bar.add_task("", total=1.0, stage="QUEUED", message="")
        self._console = console
        self._width = max(40, console.width - 6)
        self.text = ""
        self.cursor: str | None = None
        self.sequences: list[int] = []
        self._live = Live(console=console, refresh_per_second=12, get_renderable=self._render)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)

    def show(self, event: Data) -> None:
        self.cursor = event["cursor"]
        self.sequences.append(event["sequence"])
        match event["__typename"]:
            case "JobProgressed":
                self._bar.update(self._task, completed=event["progress"], stage=event["stage"], message=event["message"])
            case "TextAppended" | "TextReplaced":
                self.text = self.text[: event["offset"]] + event["text"]
            case _:
                pass

    def _render(self) -> Group:
        lines = Text(self.text, style="dim").wrap(self._console, self._width)[-LINES_SHOWN:]
        return Group(self._bar, Padding(Group(*lines), (1, 0, 0, 4)))
