"""The API over a real Postgres."""

from tests.api import api

__all__ = ["api"]
