"""A prompt's identity."""

from domain.llm.model import Message, Role
from domain.llm.tokens import TokenCounter
from domain.prompting.digest import prompt_digest, stable_prefix_tokens


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


def test_a_stable_prefix_ends_where_the_tokens_differ_and_not_within_a_message_of_another_role():
    def stable(new, old):
        return stable_prefix_tokens(new, old, tokens=TokenCounter(), model="gpt-4")

    rules, wait, woman = Message(Role.SYSTEM, "Rules."), Message(Role.USER, "She waits."), Message(Role.USER, ".zebWah 👩")
    assert stable((rules, wait), (rules, wait)) == 2 + 3
    assert stable((rules, wait), (rules, Message(Role.USER, "She goes."))) == 2 + 1
    assert stable((rules, woman), (rules, Message(Role.USER, ".zebWah \u200d"))) == 2 + 5
    assert stable((wait, rules), (Message(Role.SYSTEM, "She waits."), rules)) == 0
    assert stable((rules, wait), ()) == 0
