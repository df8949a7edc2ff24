"""Loading the material of a prompt: what of the project could matter to one chapter, and of that only what memory lacks."""

from dataclasses import replace

import psycopg
import pytest

from domain.access import Role
from domain.errors import NotFound
from domain.prompting.index.saved_text import NewText
from domain.prompting.index.text_index import indexed
from domain.prompting.index.vectors import pack_vector, text_key, unit_vector
from domain.prompting.loading import load_material
from domain.prompting.memory import PromptMemory
from domain.prompting.semantics import Meanings, request_text
from persistence.embedding_desk import PostgresEmbeddingDesk
from tests.factories import NOON, a_reference_file, a_version, add_chapters, add_member, add_project, add_user
from tests.persistence.embedding_world import USAGE, a_call
from tests.statements import statements_sent

MARA = "Mara keeps the light."


@pytest.fixture
def memory():
    return PromptMemory(10**7)


def texts_loaded(seen):
    """The ids of the texts that were asked for, table by table."""
    return [list(parameters[0]) for statement, parameters in seen if "text_index" in statement]


async def load(library, user, chapter, memory):
    async with library.reading(user.id) as records:
        loaded = await load_material(records, chapter, memory)
    return loaded.material()


async def save(library, user, chapter, content):
    async with library.writing(user.id) as records:
        return await records.versions.add(a_version(chapter, content), make_current=True)


async def a_book(library, user, chapters=4):
    """A project whose chapters are all written, and its one file."""
    project = await add_project(library, user)
    written = await add_chapters(library, user, project, chapters)
    versions = [await save(library, user, chapter, f"Text {number}.") for number, chapter in enumerate(written, start=1)]
    file = a_reference_file(project, MARA)
    async with library.writing(user.id) as records:
        await records.reference_files.create(file, content=NewText.of(MARA))
    return project, written, [version.id for version in versions], file


async def test_material_is_the_chapters_before_with_their_current_texts_and_every_file_with_its_content(library, memory):
    ada = await add_user(library)
    project, other = await add_project(library, ada), await add_project(library, ada)
    first, second, third, fourth = await add_chapters(library, ada, project, 4)
    file, foreign = a_reference_file(project), a_reference_file(other)
    for chapter, content in ((first, "old"), (first, "new"), (third, "its own"), (fourth, "later")):
        await save(library, ada, chapter, content)
    async with library.writing(ada.id) as records:
        await records.reference_files.create(file, content=NewText.of(MARA))
        await records.reference_files.create(foreign, content=NewText.of("Elsewhere."))
    async with library.reading(ada.id) as records:
        chapters = await records.chapters.get_many([first.id, second.id, third.id])
    material = await load(library, ada, chapters[third.id], memory)
    assert (material.project.id, material.chapter.id, material.previous) == (project.id, third.id, ())
    assert [(earlier.chapter.id, earlier.content) for earlier in material.earlier] == [(first.id, indexed("new"))]
    assert [(reference.file, reference.content) for reference in material.references] == [(file, indexed(MARA))]


async def test_a_first_chapter_of_an_empty_project_has_nothing_but_itself(library, memory):
    ada = await add_user(library)
    (chapter,) = await add_chapters(library, ada, await add_project(library, ada), 1)
    material = await load(library, ada, chapter, memory)
    assert (material.references, material.earlier, material.previous) == ((), (), ())


async def test_a_second_prompt_loads_no_text_and_gets_the_same(library, database, memory):
    ada = await add_user(library)
    _, chapters, _, _ = await a_book(library, ada)
    cold = await load(library, ada, chapters[3], memory)
    with statements_sent() as seen:
        warm = await load(library, ada, chapters[3], memory)
    assert texts_loaded(seen) == []
    assert warm == cold == await load(library, ada, chapters[3], PromptMemory(0))
    assert len(warm.earlier) == 3
    assert warm.earlier[0].content is cold.earlier[0].content
    assert warm.memory is cold.memory


async def test_the_number_of_statements_does_not_grow_with_the_book(library, database, memory):
    ada = await add_user(library)
    counts = []
    for chapters in (2, 9):
        _, written, _, _ = await a_book(library, ada, chapters)
        with statements_sent() as seen:
            await load(library, ada, written[-1], memory)
        counts.append(len(seen))
        assert len(texts_loaded(seen)) == 2
    assert counts[0] == counts[1]


async def test_after_a_chapter_is_saved_exactly_that_one_is_loaded(library, database, memory):
    ada = await add_user(library)
    _, chapters, versions, _ = await a_book(library, ada)
    before = await load(library, ada, chapters[3], memory)
    size = memory.size
    saved = await save(library, ada, chapters[1], "Text B.")
    with statements_sent() as seen:
        after = await load(library, ada, chapters[3], memory)
    assert texts_loaded(seen) == [[saved.id]]
    assert [each.content.text for each in after.earlier] == ["Text 1.", "Text B.", "Text 3."]
    assert before.memory.text(versions[1]) is None
    assert abs(memory.size - size) < 100, "the old text has been released"


async def test_a_changed_file_is_loaded_again_and_a_deleted_one_released(library, database, memory):
    ada = await add_user(library)
    _, chapters, _, file = await a_book(library, ada)
    await load(library, ada, chapters[3], memory)
    changed = a_reference_file(await add_project(library, ada), "Mara lies.")
    async with library.writing(ada.id) as records:
        await records.reference_files.update(file.id, {"sha256": changed.sha256}, content=NewText.of("Mara lies."))
    with statements_sent() as seen:
        (reference,) = (await load(library, ada, chapters[3], memory)).references
    assert texts_loaded(seen) == [[file.id]]
    assert (reference.content.text, reference.key) == ("Mara lies.", (file.id, changed.sha256))
    async with library.writing(ada.id) as records:
        await records.reference_files.delete(file.id)
    material = await load(library, ada, chapters[3], memory)
    assert material.references == ()
    assert material.memory.text((file.id, changed.sha256)) is None


async def test_a_file_that_was_only_renamed_is_not_loaded_again(library, database, memory):
    ada = await add_user(library)
    _, chapters, _, file = await a_book(library, ada)
    await load(library, ada, chapters[3], memory)
    async with library.writing(ada.id) as records:
        await records.reference_files.update(file.id, {"name": "Mara Quist"})
    with statements_sent() as seen:
        (reference,) = (await load(library, ada, chapters[3], memory)).references
    assert (texts_loaded(seen), reference.file.name, reference.content.text) == ([], "Mara Quist", MARA)


async def test_prompts_for_chapters_in_turn_load_each_text_once(library, database, memory):
    """A prompt for an early chapter must not drop the texts that only later ones see."""
    ada = await add_user(library)
    _, chapters, versions, file = await a_book(library, ada)
    with statements_sent() as seen:
        for chapter in (chapters[3], chapters[0], chapters[2], chapters[3], chapters[1]):
            await load(library, ada, chapter, memory)
    assert texts_loaded(seen) == [versions[:3], [file.id]]


async def test_rows_without_an_index_or_with_another_are_indexed_and_remembered(library, database, owner_url, memory):
    ada = await add_user(library)
    _, chapters, versions, _ = await a_book(library, ada)
    expected = await load(library, ada, chapters[3], PromptMemory(0))
    await change_as_owner(owner_url, "UPDATE chapter_version SET text_index = NULL")
    await change_as_owner(owner_url, "UPDATE reference_file SET text_index = decode('00', 'hex') || substr(text_index, 2)")
    material = await load(library, ada, chapters[3], memory)
    assert material == expected
    with statements_sent() as seen:
        assert await load(library, ada, chapters[3], memory) == expected
    assert texts_loaded(seen) == []
    async with library.reading(ada.id) as records:
        assert (await records.versions.stored_texts([versions[0]]))[versions[0]].index is None, "repaired in memory only"


async def change_as_owner(owner_url, statement):
    async with await psycopg.AsyncConnection.connect(owner_url) as connection:
        await connection.execute(statement)


class ChangedMeanwhile:
    """Records whose files change right behind their listing."""

    def __init__(self, records, change):
        self._records, self._change = records, change
        self.reference_files = self

    def __getattr__(self, name):
        return getattr(self._records, name)

    async def of_project(self, project_id):
        found = await self._records.reference_files.of_project(project_id)
        await self._change()
        return found

    async def stored_texts(self, ids):
        return await self._records.reference_files.stored_texts(ids)


async def test_a_content_that_changes_while_it_is_loaded_is_never_remembered_as_the_one_before(library, memory):
    ada = await add_user(library)
    project, chapters, _, file = await a_book(library, ada)
    other = a_reference_file(project, "Mara lies.")

    async def put(content, sha256):
        async with library.writing(ada.id) as records:
            await records.reference_files.update(file.id, {"sha256": sha256}, content=NewText.of(content))

    async with library.reading(ada.id) as records:
        changing = ChangedMeanwhile(records, lambda: put("Mara lies.", other.sha256))
        (reference,) = (await load_material(changing, chapters[0], memory)).material().references
    assert (reference.content.text, reference.key) == ("Mara lies.", (file.id, other.sha256))
    await put(MARA, file.sha256)
    (reference,) = (await load(library, ada, chapters[0], memory)).references
    assert reference.content.text == MARA


@pytest.mark.parametrize("who", ["a stranger", "a removed member"])
async def test_what_memory_holds_opens_nothing_to_whoever_may_not_see_the_project(library, database, memory, who):
    ada, eve = await add_user(library), await add_user(library, "Eve")
    project, chapters, versions, _ = await a_book(library, ada)
    if who == "a removed member":
        await add_member(library, ada, project, eve, Role.VIEWER)
        assert len((await load(library, eve, chapters[3], memory)).earlier) == 3
        async with library.writing(ada.id) as records:
            await records.projects.remove_member(project.id, eve.id)
    kept = (await load(library, ada, chapters[3], memory)).memory
    with statements_sent() as seen, pytest.raises(NotFound):
        await load(library, eve, chapters[3], memory)
    assert texts_loaded(seen) == []
    assert kept.text(versions[0]) is not None, "who may not see a project does not make it forget either"


async def test_a_chapter_said_to_be_of_ones_own_project_brings_no_text_of_its_real_one(library, memory):
    ada, eve = await add_user(library), await add_user(library, "Eve")
    _, chapters, _, _ = await a_book(library, ada)
    await load(library, ada, chapters[3], memory)
    own = await add_project(library, eve)
    material = await load(library, eve, replace(chapters[3], project_id=own.id), memory)
    assert (material.references, material.earlier) == ((), ())


async def test_a_text_of_a_project_seen_no_more_in_the_midst_of_loading_is_not_given(library, memory):
    """Each list is read by its own statement: whoever is removed between two of them gets the empty rest."""
    ada, eve = await add_user(library), await add_user(library, "Eve")
    project, chapters, _, _ = await a_book(library, ada)
    await add_member(library, ada, project, eve, Role.VIEWER)
    await load(library, eve, chapters[3], memory)

    async def remove():
        async with library.writing(ada.id) as records:
            await records.projects.remove_member(project.id, eve.id)

    async with library.reading(eve.id) as records:
        material = (await load_material(ChangedMeanwhile(records, remove), chapters[3], memory)).material()
    assert material.earlier == ()


async def test_the_index_is_read_by_prompts_alone(library, database):
    ada = await add_user(library)
    project, _, versions, file = await a_book(library, ada)
    with statements_sent() as seen:
        async with library.reading(ada.id) as records:
            await records.versions.texts(versions)
            await records.versions.get_many(versions)
            await records.reference_files.contents([file.id])
            await records.reference_files.of_project(project.id)
            await records.reference_files.get_many([file.id])
    assert len(seen) == 5
    assert texts_loaded(seen) == []


MODEL = "text-embedding-3-small"
ASKED = request_text(title="Low water", brief="The first letter is found.")


@pytest.fixture
def embedding_memory():
    return PromptMemory(10**7, embedding_model=MODEL)


async def embed(database, user, project, *texts, model=MODEL):
    """Store a vector for each."""
    desk = PostgresEmbeddingDesk(database, monthly_limit=None)
    vectors = {text_key(text): pack_vector(vector_of(text)) for text in texts}
    await desk.record(a_call(user, project, model=model), usage=USAGE, cost=None, vectors=vectors, at=NOON)


def vector_of(text):
    return unit_vector((len(text), 1.0))


def known(*texts):
    return Meanings(MODEL, {text_key(text): vector_of(text) for text in texts})


async def test_without_a_model_for_it_no_vector_is_asked_for(library, database, memory):
    ada = await add_user(library)
    project, chapters, _, _ = await a_book(library, ada)
    await embed(database, ada, project, "Text 1.", ASKED)
    with statements_sent() as seen:
        material = await load(library, ada, chapters[3], memory)
    assert material.meanings == Meanings()
    assert not any("passage_vector" in statement for statement, _ in seen)


async def test_vectors_take_two_statements_and_are_kept_between_prompts(library, database, embedding_memory):
    ada = await add_user(library)
    project, chapters, _, _ = await a_book(library, ada)
    await embed(database, ada, project, "Text 1.", "Text 2.", ASKED)
    await embed(database, ada, project, "Text 3.", model="another")
    cold = await load(library, ada, chapters[3], embedding_memory)
    with statements_sent() as seen:
        warm = await load(library, ada, chapters[3], embedding_memory)
    assert cold.meanings == warm.meanings == known("Text 1.", "Text 2.", ASKED)
    assert len([statement for statement, _ in seen if "passage_vector" in statement]) == 2
    first = text_key("Text 1.")
    assert warm.meanings.vectors[first] is cold.meanings.vectors[first], "it has not been read again"


async def test_vectors_that_have_come_since_are_added(library, database, embedding_memory):
    ada = await add_user(library)
    project, chapters, _, _ = await a_book(library, ada)
    await embed(database, ada, project, "Text 1.", ASKED)
    await load(library, ada, chapters[3], embedding_memory)
    await embed(database, ada, project, "Text 2.")
    warm = await load(library, ada, chapters[3], embedding_memory)
    assert warm.meanings == known("Text 1.", "Text 2.", ASKED)
    assert warm == await load(library, ada, chapters[3], PromptMemory(0, embedding_model=MODEL))


async def test_a_project_whose_vectors_fit_into_no_memory_has_them_all_the_same(library, database):
    ada = await add_user(library)
    project, chapters, _, _ = await a_book(library, ada)
    await embed(database, ada, project, "Text 1.", ASKED)
    for memory in (PromptMemory(0, embedding_model=MODEL), PromptMemory(2_100, embedding_model=MODEL)):
        for _ in range(2):
            assert (await load(library, ada, chapters[3], memory)).meanings == known("Text 1.", ASKED)


async def test_vectors_count_as_what_is_remembered(library, database, embedding_memory):
    ada = await add_user(library)
    project, chapters, _, _ = await a_book(library, ada)
    await load(library, ada, chapters[3], embedding_memory)
    before = embedding_memory.size
    await embed(database, ada, project, *(f"Passage {number}." for number in range(50)))
    await load(library, ada, chapters[3], embedding_memory)
    assert embedding_memory.size - before >= 50 * 200
