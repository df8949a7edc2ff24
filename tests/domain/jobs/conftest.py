"""The API over a real Postgres, to start jobs with, and time to pass by hand."""

import pytest

from tests.api import api
from tests.domain.jobs.manual_time import ManualTime

__all__ = ["api"]


@pytest.fixture
def time() -> ManualTime:
    return ManualTime()
