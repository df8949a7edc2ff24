"""Who is following something when they lose their part in it hears no more, with both walls and with either alone."""

import asyncio

import pytest

from domain.errors import NotFound
from domain.jobs.events import TextAppended
from tests.api import Refused
from tests.security.tenancy.rights import ROLES
from tests.security.tenancy.world import SECRET

FOLLOW = "subscription($id: ID!) { jobEvents(jobId: $id) { __typename sequence ... on TextAppended { text } } }"
WAIT_SECONDS = 20


@pytest.mark.parametrize("role", ROLES[:-1])
async def test_who_is_removed_while_following_is_cut_off_before_the_next_event(changing, walls, role):
    owner, member = changing.members["OWNER"], changing.members[role]
    job = await owner.job(changing.victim["Chapter"])
    claim = await owner.work(job)
    stream = member.follow(FOLLOW, id=job)
    async with asyncio.timeout(WAIT_SECONDS):
        assert (await anext(stream))["jobEvents"]["sequence"] == 1
        assert (await anext(stream))["jobEvents"]["sequence"] == 2
        me = (await member.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
        await owner.mutate("removeProjectMember", "id", projectId=changing.victim["Project"], userId=me)
        await owner.log(claim, TextAppended("draft/1", 0, SECRET))
        with pytest.raises(Refused) as refused:
            await anext(stream)
    (error,) = refused.value.errors
    assert isinstance(error.original_error, NotFound)
    assert SECRET not in str(error)
