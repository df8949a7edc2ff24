"""The API over a real Postgres, to start jobs with."""

from tests.api import api

__all__ = ["api"]
