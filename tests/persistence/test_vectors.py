"""What has been embedded: kept by workers, read by members, and gone with its project."""

from array import array

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.access import Role
from domain.prompting.index.vectors import StoredVector, pack_vector
from persistence.embedding_desk import PostgresEmbeddingDesk
from tests.factories import NOON, add_member, add_project, add_user
from tests.persistence.embedding_world import USAGE, a_call, key

MODEL = "text-embedding-3-small"
VECTOR = pack_vector(array("f", (0.6, 0.8)))


@pytest.fixture
def desk(database):
    return PostgresEmbeddingDesk(database, monthly_limit=None)


@pytest.fixture
async def ada(library):
    return await add_user(library)


@pytest.fixture
async def project(library, ada):
    return await add_project(library, ada)


async def add(desk, user, project, *numbers, model=MODEL):
    vectors = {key(number): VECTOR for number in numbers}
    await desk.record(a_call(user, project, model=model), usage=USAGE, cost=None, vectors=vectors, at=NOON)


async def newest(library, user, project, *, after=0, limit=9, model=MODEL):
    async with library.reading(user.id) as records:
        return await records.vectors.newest(project.id, model=model, after=after, limit=limit)


async def test_vectors_are_read_from_the_oldest_to_the_newest_and_those_behind_a_number_alone(library, desk, ada, project):
    for number in (3, 1, 2):
        await add(desk, ada, project, number)
    found = await newest(library, ada, project)
    assert [(each.key, each.packed) for each in found] == [(key(number), VECTOR) for number in (3, 1, 2)]
    assert await newest(library, ada, project, after=found[0].number) == found[1:]
    assert await newest(library, ada, project, limit=2) == found[1:]
    assert await newest(library, ada, project, after=found[-1].number) == []


async def test_vectors_of_another_model_or_project_are_not_among_them(library, desk, ada, project):
    await add(desk, ada, project, 1, model="another")
    await add(desk, ada, await add_project(library, ada), 2)
    assert await newest(library, ada, project) == []
    async with library.reading(ada.id) as records:
        assert await records.vectors.by_key(project.id, [key(1), key(2)], model=MODEL) == {}


async def test_a_vector_is_found_by_its_key(library, desk, ada, project):
    await add(desk, ada, project, 1, 2)
    async with library.reading(ada.id) as records:
        assert await records.vectors.by_key(project.id, [key(2), key(3)], model=MODEL) == {key(2): VECTOR}


async def test_the_first_vector_of_a_text_is_kept(library, desk, ada, project):
    await add(desk, ada, project, 1)
    before = await newest(library, ada, project)
    await desk.record(a_call(ada, project), usage=USAGE, cost=None, vectors={key(1): pack_vector(array("f", (1.0,)))}, at=NOON)
    assert await newest(library, ada, project) == before == [StoredVector(before[0].number, key(1), VECTOR)]


async def test_vectors_go_with_their_project(library, desk, ada, project, owner_url):
    await add(desk, ada, project, 1)
    async with library.writing(ada.id) as records:
        await records.projects.delete(project.id)
    with psycopg.connect(owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM passage_vector").fetchone() == (0,)


@pytest.mark.parametrize("who", ["owner", "editor"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE passage_vector SET dims = 1",
        "DELETE FROM passage_vector",
        "INSERT INTO passage_vector (project_id) VALUES (gen_random_uuid())",
        "SELECT held_until FROM embedding_turn",
        "SELECT version_id FROM embedded_chapter",
    ],
)
async def test_nobody_but_workers_adds_or_changes_any(library, database, desk, ada, project, who, statement):
    editor = await add_user(library, "Edith")
    await add_member(library, ada, project, editor, Role.EDITOR)
    await add(desk, ada, project, 1)
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.as_user(ada.id if who == "owner" else editor.id) as connection:
            await connection.execute(text(statement))


async def test_row_security_alone_shows_vectors_to_members_only(library, database, desk, ada, project):
    people = {name: await add_user(library, name) for name in ("Vera", "Eve")}
    await add_member(library, ada, project, people["Vera"], Role.VIEWER)
    await add(desk, ada, project, 1)
    for user, count in ((ada, 1), (people["Vera"], 1), (people["Eve"], 0)):
        async with database.as_user(user.id) as connection:
            assert await connection.scalar(text("SELECT count(*) FROM passage_vector")) == count


@pytest.mark.parametrize(
    "question",
    [
        "SELECT vector FROM passage_vector",
        "SELECT brief FROM chapter",
        "SELECT title FROM chapter",
        "SELECT text FROM chapter_version",
        "SELECT title FROM project",
        "SELECT content FROM reference_file",
        "SELECT user_id FROM project_member",
    ],
)
async def test_a_worker_sees_whose_chapters_changed_and_no_texts_or_vectors(database, question):
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.as_worker() as connection:
            await connection.execute(text(question))


@pytest.mark.parametrize(
    ("key", "dims", "vector"), [("\\x00", 1, "\\x00000000"), ("\\x" + "00" * 32, 2, "\\x00000000"), ("\\x" + "00" * 32, 1, "\\x000000")]
)
def test_what_is_no_key_or_no_vector_cannot_be_stored(owner_url, key, dims, vector):
    with psycopg.connect(owner_url) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "INSERT INTO passage_vector (project_id, model, sha256, dims, vector) VALUES (gen_random_uuid(), 'm', %s, %s, %s)",
            (key, dims, vector),
        )
