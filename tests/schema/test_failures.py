"""Refusals: each has its type and code, and names things as its reader sent them."""

from uuid import UUID

import pytest

from domain import errors
from domain.access import Role
from domain.errors import Refusal
from schema.failures import USER_ERRORS, Told, _as_sent
from schema.jobs import JobInput
from schema.payloads import DeleteInput
from schema.people import RemoveProjectMemberInput

NOBODY = UUID(int=7)


def test_every_refusal_has_a_type_of_its_own():
    assert {error.tells for error in USER_ERRORS} == set(Refusal.__subclasses__())
    assert len(USER_ERRORS) == len(Refusal.__subclasses__())


@pytest.mark.parametrize("error", USER_ERRORS)
def test_a_type_tells_its_own_refusal_only(error):
    forbidden = Told(errors.Forbidden(Role.OWNER))
    assert error.is_type_of(forbidden, None) == (error.tells is errors.Forbidden)
    assert not error.is_type_of(forbidden.refusal, None)


def test_what_is_not_found_is_named_by_the_id_at_its_path():
    sent = RemoveProjectMemberInput(project_id="project_1", user_id="user_1")
    told = _as_sent(errors.NotFound(NOBODY, path=("input", "userId")), sent)
    assert (told.id, told.path) == ("user_1", ("input", "userId"))


@pytest.mark.parametrize(("sent", "path"), [(JobInput(job_id="sent"), ("input", "jobId")), (DeleteInput(id="sent"), ("input", "id"))])
def test_what_vanished_while_the_mutation_ran_is_what_the_mutation_was_about(sent, path):
    told = _as_sent(errors.NotFound(NOBODY), sent)
    assert (told.id, told.path) == ("sent", path)


async def test_a_malformed_id_is_told_as_it_was_sent(api):
    for sent in ("", "nonsense", "chapter_" + "0" * 26, "project_" + "0" * 26):
        error = await api.refusal("deleteProject", id=sent)
        assert (error["__typename"], error["code"], error["id"], error["path"]) == ("NotFoundError", "NOT_FOUND", sent, ["input", "id"])
