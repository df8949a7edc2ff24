import logging

import pytest


@pytest.fixture(autouse=True)
def nothing_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What graphql-core's execution has raised would be kept with the log, and with it the coroutines that it leaves behind."""
    caplog.set_level(logging.CRITICAL + 1, logger="strawberry.execution")
