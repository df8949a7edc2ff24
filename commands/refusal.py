"""How a command refuses to start."""


class CannotStart(Exception):  # noqa: N818  - an answer for the person at the terminal
    """The message says what is in the way and what to do."""
