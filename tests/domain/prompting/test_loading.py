"""Loading the material of a prompt: what of the project could matter to one chapter."""

from domain.prompting.loading import load_material
from tests.factories import a_reference_file, a_version, add_chapters, add_project, add_user


async def test_material_is_the_chapters_before_with_their_current_texts_and_every_file_with_its_content(library):
    ada = await add_user(library)
    project, other = await add_project(library, ada), await add_project(library, ada)
    first, second, third, fourth = await add_chapters(library, ada, project, 4)
    file, foreign = a_reference_file(project), a_reference_file(other)
    async with library.writing(ada.id) as records:
        for chapter, text in ((first, "old"), (first, "new"), (third, "its own"), (fourth, "later")):
            await records.versions.add(a_version(chapter, text), make_current=True)
        await records.reference_files.create(file, content="Mara keeps the light.")
        await records.reference_files.create(foreign, content="Elsewhere.")
    async with library.reading(ada.id) as records:
        chapters = await records.chapters.get_many([first.id, second.id, third.id])
        material = await load_material(records, chapters[third.id])
    assert (material.project.id, material.chapter.id, material.previous) == (project.id, third.id, ())
    assert [(earlier.chapter.id, earlier.content.text) for earlier in material.earlier] == [(first.id, "new")]
    assert [(reference.file.id, reference.content.text) for reference in material.references] == [(file.id, "Mara keeps the light.")]


async def test_a_first_chapter_of_an_empty_project_has_nothing_but_itself(library):
    ada = await add_user(library)
    (chapter,) = await add_chapters(library, ada, await add_project(library, ada), 1)
    async with library.reading(ada.id) as records:
        material = await load_material(records, chapter)
    assert (material.references, material.earlier, material.previous) == ((), (), ())
