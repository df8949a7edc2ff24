"""The identity of a prompt, and how much of it a model provider has probably cached."""

import hashlib
import json
from collections.abc import Sequence

from domain.llm.model import Message
from domain.ports import Tokens


def prompt_digest(messages: Sequence[Message]) -> str:
    """The sha256, in hex, of the messages as a JSON array of [role, text] pairs, in ASCII without white space."""
    encoded = json.dumps([[message.role, message.text] for message in messages], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(encoded.encode("ascii")).hexdigest()


def stable_prefix_tokens(messages: Sequence[Message], previous: Sequence[Message], *, tokens: Tokens, model: str) -> int:
    """How many of the texts' leading tokens are the same in both prompts: messages that are equal, then the start of the next one."""
    stable = 0
    for new, old in zip(messages, previous, strict=False):
        if new == old:
            stable += tokens.count(new.text, model=model)
            continue
        if new.role == old.role:
            stable += tokens.shared(new.text, old.text, model=model)
        break
    return stable
