from collections.abc import AsyncIterator

import pytest

from tests.schema.edge.toy import Observed, serving, toy_edge


@pytest.fixture(scope="module")
def observed() -> Observed:
    return Observed()


@pytest.fixture(scope="module")
async def address(observed: Observed) -> AsyncIterator[str]:
    """A server with the settings of production."""
    async with serving(toy_edge(observed)) as served:
        yield served
