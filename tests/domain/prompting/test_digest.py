"""A prompt's identity."""

from domain.llm.model import Message, Role
from domain.prompting.digest import prompt_digest


def test_a_digest_tells_every_difference_apart():
    prompts = [
        (),
        (Message(Role.USER, ""),),
        (Message(Role.SYSTEM, "ab"),),
        (Message(Role.USER, "ab"),),
        (Message(Role.USER, "a"), Message(Role.USER, "b")),
        (Message(Role.USER, 'a"],["user","b'),),
        (Message(Role.USER, "é"),),
        (Message(Role.USER, "e\u0301"),),
        (Message(Role.USER, "\ud800"),),
        (Message(Role.USER, "\\ud800"),),
    ]
    assert len({prompt_digest(messages) for messages in prompts}) == len(prompts)


def test_a_digest_is_the_documented_one():
    empty = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"  # sha256 of []
    assert prompt_digest(()) == empty
