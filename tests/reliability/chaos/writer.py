"""The model behind all jobs: it writes each chapter by its code, the same text however often it is cut, and notes every call.

What is asked for is told by the request alone: the code stands in the job's instructions, and where to go on is where the text of the
last but one message ends. So a chapter that was written in pieces, by several processes, has to come out as `whole_text` to the letter.
Where an answer of a certain form is asked for, the judge or the editor gives it; there the code is the chapter's title.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from domain.llm.model import Message, Role
from domain.prompting.digest import prompt_digest
from tests.fakes.model_behaviours import Call, Script, reply
from tests.reliability.chaos.editor import answer_to, code_of_chapter, form_asked_for

CODE = re.compile(r"Chapter code: (K\d+x\d+)\b")
CALL_ID_HEADER = "x-client-request-id"
SENTENCES_IN_PART = 7
TAIL_CHARACTERS = 40
SHOWN_CHARACTERS = 60
ANSWER_CHUNKS = 4
"""Answers of a certain form come so many times as fast: nobody watches them arrive."""

CODA = "\n"
"""The answer to whoever had every word already, but was cut off before it was told that there are no more."""


def code_for(number: int, parts: int) -> str:
    """What names a chapter, and says in how many calls the model gives it when nothing goes wrong."""
    return f"K{number}x{parts}"


def instructions_for(code: str) -> str:
    return f"Chapter code: {code}"


def parts_of(code: str) -> Sequence[str]:
    """Every sentence is the only one of its kind, so that nothing can be lost, doubled or moved unseen."""
    return [
        "".join(
            f"In {code}.{part}.{number} the lamp burned low, and nobody in the long room spoke. " for number in range(SENTENCES_IN_PART)
        )
        for part in range(int(code.rpartition("x")[2]))
    ]


def whole_text(code: str) -> str:
    return "".join(parts_of(code))


def is_whole(code: str, text: str) -> bool:
    return text.rstrip(CODA) == whole_text(code)


def departure(code: str, text: str) -> str:
    """Where and how a text leaves what was written, for people."""
    whole = whole_text(code)
    at = next((at for at, (one, other) in enumerate(zip(text, whole, strict=False)) if one != other), min(len(text), len(whole)))
    return f"from character {at} of {len(whole)} on it reads {text[at : at + SHOWN_CHARACTERS]!r}"


@dataclass(eq=False)
class HeardCall:
    """One request as the model server saw it. `call` goes on counting while the answer is written.

    `offset` is where in the chapter its answer begins, None when what it was to continue is no beginning of the chapter.
    """

    call: Call
    code: str
    digest: str
    offset: int | None
    at: float

    @property
    def call_id(self) -> str | None:
        return self.call.headers.get(CALL_ID_HEADER)


@dataclass
class Writer:
    """A behaviour of the scripted model server. `now` is the wall clock, in seconds; `delay` seconds lie between chunks.

    Each of `moods` makes something else of the usual answer to one call, the first of the next.
    """

    now: Callable[[], float]
    chunk: int = 60
    delay: float = 0.06
    moods: list[Callable[[Call, Script], Script]] = field(default_factory=list)
    heard: list[HeardCall] = field(default_factory=list)

    def __call__(self, call: Call) -> Script:
        if form_asked_for(call) is not None:
            return self._answer(call)
        code, written = _asked(call)
        offset = _offset_behind(written, whole_text(code))
        self.heard.append(HeardCall(call=call, code=code, digest=_digest(call), offset=offset, at=self.now()))
        text, is_last = _rest_of_part(code, offset or 0)
        return self._said(call, text or CODA, finish="stop" if is_last else "length")

    def _answer(self, call: Call) -> Script:
        self.heard.append(HeardCall(call=call, code=code_of_chapter(call), digest=_digest(call), offset=0, at=self.now()))
        return self._said(call, answer_to(call), finish="stop", chunk=ANSWER_CHUNKS * self.chunk)

    def _said(self, call: Call, text: str, *, finish: str, chunk: int | None = None) -> Script:
        usual = reply(text, chunk=chunk or self.chunk, delay=self.delay, finish=finish)(call)
        return self.moods.pop(0)(call, usual) if self.moods else usual


def _asked(call: Call) -> tuple[str, str]:
    """The chapter's code, and the text to go on behind."""
    (code,) = set(CODE.findall(call.prompt))
    messages = call.body["messages"]
    continues = len(messages) > 2 and messages[-2]["role"] == Role.ASSISTANT
    return code, messages[-2]["content"] if continues else ""


def _offset_behind(written: str, whole: str) -> int | None:
    written = written.rstrip(CODA)
    if whole.startswith(written):
        return len(written)
    found = whole.find(written) if len(written) >= TAIL_CHARACTERS else -1
    return None if found < 0 else found + len(written)


def _rest_of_part(code: str, offset: int) -> tuple[str, bool]:
    parts = parts_of(code)
    ends = list(accumulate(len(part) for part in parts))
    end = next((end for end in ends if end > offset), ends[-1])
    return whole_text(code)[offset:end], end == ends[-1]


def _digest(call: Call) -> str:
    return prompt_digest([Message(Role(message["role"]), message["content"]) for message in call.body["messages"]])
