"""Reference files and their contents."""

import pytest

from domain.errors import NotFound
from domain.paging import PageRequest
from domain.ports import Library
from domain.prompting.index.saved_text import NewText, StoredText
from domain.reference_files import InclusionPolicy, ReferenceKind
from tests.factories import a_reference_file, add_project, add_user


async def test_a_file_comes_back_as_it_was_stored(library: Library) -> None:
    ada = await add_user(library)
    file = a_reference_file(
        await add_project(library, ada),
        aliases=("the keeper", "M."),
        inclusion=InclusionPolicy.ALWAYS,
        valid_from_chapter=2,
        valid_until_chapter=9,
    )
    async with library.writing(ada.id) as records:
        await records.reference_files.create(file, content=NewText.of("Mara keeps the light."))
    async with library.reading(ada.id) as records:
        assert await records.reference_files.get_many([file.id]) == {file.id: file}
        assert await records.reference_files.contents([file.id]) == {file.id: "Mara keeps the light."}
        stored = StoredText("Mara keeps the light.", NewText.of("Mara keeps the light.").index)
        assert await records.reference_files.stored_texts([file.id]) == {(file.id, file.sha256): stored}


async def test_content_changes_only_when_it_is_given(library: Library) -> None:
    ada = await add_user(library)
    file = a_reference_file(await add_project(library, ada))
    async with library.writing(ada.id) as records:
        await records.reference_files.create(file, content=NewText.of("old"))
        await records.reference_files.update(file.id, {"name": "Mara Quist", "aliases": ("M.",)})
        assert await records.reference_files.contents([file.id]) == {file.id: "old"}
        await records.reference_files.update(file.id, {}, content=NewText.of("new"))
        assert await records.reference_files.contents([file.id]) == {file.id: "new"}
        stored = await records.reference_files.stored_texts([file.id])
        assert stored == {(file.id, file.sha256): StoredText("new", NewText.of("new").index)}
        stored = (await records.reference_files.get_many([file.id]))[file.id]
    assert (stored.name, stored.aliases) == ("Mara Quist", ("M.",))


async def test_files_are_listed_by_name_and_handed_to_prompts_by_kind(library: Library) -> None:
    ada = await add_user(library)
    project = await add_project(library, ada)
    names = [("zoe", ReferenceKind.CHARACTER), ("Abel", ReferenceKind.WORLD), ("mara", ReferenceKind.CHARACTER)]
    async with library.writing(ada.id) as records:
        for name, kind in names:
            await records.reference_files.create(a_reference_file(project, name=name, kind=kind), content=NewText.of(""))
    async with library.reading(ada.id) as records:
        page = (await records.reference_files.pages([project.id], PageRequest(), kind=None))[project.id]
        assert [file.name for file in page.items] == ["Abel", "mara", "zoe"]
        assert [file.name for file in await records.reference_files.of_project(project.id)] == ["mara", "zoe", "Abel"]
        assert await records.reference_files.counts([project.id], kind=[ReferenceKind.WORLD]) == {project.id: 1}


async def test_a_deleted_file_is_gone(library: Library) -> None:
    ada = await add_user(library)
    file = a_reference_file(await add_project(library, ada))
    async with library.writing(ada.id) as records:
        await records.reference_files.create(file, content=NewText.of(""))
        await records.reference_files.delete(file.id)
        assert await records.reference_files.get_many([file.id]) == {}
        with pytest.raises(NotFound):
            await records.reference_files.delete(file.id)
