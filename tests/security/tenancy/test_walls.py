"""That it is the two walls that the matrix is about: without either, everything would be told."""

import pytest

from tests.security.tenancy.walls import without_filters, without_row_security
from tests.security.tenancy.world import OUTSIDERS

ASKED = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Project { title } ... on ChapterVersion { text } ... on Job { text } } }"


@pytest.mark.parametrize("asker", OUTSIDERS)
async def test_without_either_wall_everything_would_be_told(world, asker):
    wanted = list(world.victim.values())
    with without_filters(), without_row_security(world.contents.connection):
        told = await world.outsiders[asker].api.ask(ASKED, ids=wanted)
    assert [node["id"] for node in told["nodes"]] == wanted
    assert world.leaks(str(told), sent=wanted)
