"""Imported by the process that children are forked from, and there alone: what each of them needs is loaded once."""

from domain.llm.prices import PriceBook
from server import utc_now
from tests.api import token_counter
from tests.reliability.crashes import dying
from tests.server.running import MODEL

__all__ = ["dying"]

token_counter().count("It was late.", model=MODEL)
PriceBook(clock=utc_now).price(MODEL)
__import__("openai.resources.chat")
