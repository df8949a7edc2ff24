"""Who has no part in a project is answered as if it had never been, with both walls and with either of them alone."""

import pytest

from tests.security.tenancy.asking import belonging_to, ids_in, malformed, masked, nonexistent, of_another_kind, told, with_ids, with_one_of
from tests.security.tenancy.cases import NESTED_ID_CASES, ROOT_CASES, TYPE_CASES, Case
from tests.security.tenancy.loose_references import lead_away
from tests.security.tenancy.world import OUTSIDERS

pytestmark = pytest.mark.parametrize("asker", OUTSIDERS)

ASKED = (*ROOT_CASES, *NESTED_ID_CASES)
ONES_OWN = [case for case in ROOT_CASES if case.operation == "mutation" and case.role is None]
"""What everybody may change, for it touches nobody else."""
MIXED = [(case, place) for case in ASKED for place in case.id_paths if len(case.id_paths) > 1 or case.takes_many(place)]


async def nothing_is_told(world, asker, case: Case, sent) -> None:
    """Nothing of what was sent of Ada's, whatever of one's own was sent with it."""
    foreign = [each for each in ids_in(sent) if each in world.victim.values()]
    answer = await as_where_it_has_never_been(world, asker, case, sent)
    for change in (nonexistent, of_another_kind, malformed):
        absent = await told(world.outsiders[asker].api, case, with_ids(sent, foreign, change))
        assert masked(answer, foreign) == masked(absent, map(change, foreign))


async def as_where_it_has_never_been(world, asker, case: Case, sent) -> str:
    person = world.outsiders[asker]
    answer = await told(person.api, case, sent)
    assert world.leaks(answer, sent=ids_in(sent)) == [], case.label
    assert answer == await told(person.elsewhere, case, sent), case.label
    return answer


@pytest.mark.parametrize("case", [case for case in ASKED if case not in ONES_OWN], ids=str)
async def test_what_is_others_is_as_if_it_were_not(world, walls, asker, case):
    with world.contents.unchanged():
        await nothing_is_told(world, asker, case, case.variables(belonging_to(world.victim)))


@pytest.mark.parametrize(("case", "place"), MIXED, ids=[f"{case} {'.'.join(place)}" for case, place in MIXED])
async def test_what_is_others_cannot_be_used_with_ones_own(world, walls, asker, case, place):
    own = world.outsiders[asker].things
    with world.contents.unchanged():
        await nothing_is_told(world, asker, case, case.variables(with_one_of(world.victim, own, place)))


async def test_no_type_of_object_is_reached_through_what_is_others(world, walls, asker):
    with world.contents.unchanged():
        for case in TYPE_CASES:
            await as_where_it_has_never_been(world, asker, case, case.variables(belonging_to(world.victim)))


async def test_nothing_of_ones_own_leads_to_what_is_others(changing, walls, asker):
    """Not even where a row of one's own names it, as it might after a mistake of ours, or because somebody has left."""
    person = changing.outsiders[asker]
    led_away = lead_away(changing.contents.connection, person.things, changing.victim)
    assert led_away >= {"chapter_version.receipt_id", "chapter_version.job_id", "job.result_version_id", "job.started_by"}
    known = [changing.victim["User"]]  # who started a job stays known by their id, and by nothing else
    for case in (*ASKED, *TYPE_CASES):
        if case.operation == "query":
            answer = await told(person.api, case, case.variables(belonging_to(person.things)))
            assert changing.leaks(answer, sent=known) == [], case.label


@pytest.mark.parametrize("case", ONES_OWN, ids=str)
async def test_what_is_ones_own_is_made_all_the_same(changing, walls, asker, case):
    before = changing.contents.digest()
    answer = await told(changing.outsiders[asker].api, case, case.variables(belonging_to(changing.victim)))
    assert changing.leaks(answer) == []
    assert '"ProjectPayload_errors": []' in answer
    assert changing.contents.digest() != before
