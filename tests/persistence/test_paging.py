"""Pages cut in the database are the pages cut out of a sorted list."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from domain.access import User
from domain.chapters import Chapter
from domain.errors import InvalidInput
from domain.paging import Cursor, Page, PageRequest
from domain.ports import Library
from domain.projects import Project, ProjectFilter, ProjectOrder, ProjectOrderField
from persistence.database import Database
from persistence.paging import Listing, count_items, read_page, read_pages
from persistence.tables.books import chapter
from tests.factories import NOON, add_chapters, add_project, add_user

EVERYTHING = ProjectFilter()


def cut(items: Sequence[Project], cursors: Sequence[Cursor], request: PageRequest) -> Page[Project]:
    """What a page is, said as plainly as possible. The cursors stand where their items stood, also of items that are gone."""
    start = 0 if request.after is None else cursors.index(request.after) + 1
    end = len(items) if request.before is None else cursors.index(request.before)
    window = range(start, max(start, end))
    window = window[-request.limit :] if request.backwards else window[: request.limit]
    return Page(
        items=tuple(items[index] for index in window),
        cursors=tuple(cursors[index] for index in window),
        has_next=(window[-1] + 1 if window else end if request.before is not None else len(items)) < len(items),
        has_previous=(window[0] if window else start if request.after is not None else 0) > 0,
    )


async def several_projects(library: Library) -> tuple[User, list[Project]]:
    """With equal times and equal titles, so that the id has to decide."""
    ada = await add_user(library)
    times = [NOON + timedelta(microseconds=index // 2) for index in range(7)]
    return ada, [await add_project(library, ada, title=f"Book {index // 3}", updated_at=at) for index, at in enumerate(times)]


@pytest.mark.parametrize("field", [ProjectOrderField.UPDATED_AT, ProjectOrderField.TITLE])
@pytest.mark.parametrize("descending", [False, True])
async def test_every_page_is_what_a_sorted_list_gives(library: Library, field: ProjectOrderField, descending: bool) -> None:
    ada, projects = await several_projects(library)
    order = ProjectOrder(field=field, descending=descending)

    def key(project: Project) -> tuple[object, UUID]:
        return (project.title.lower() if field is ProjectOrderField.TITLE else project.updated_at, project.id)

    projects.sort(key=key, reverse=descending)  # type: ignore[arg-type]
    async with library.reading(ada.id) as records:
        whole = await records.projects.page(PageRequest(limit=100), chosen=EVERYTHING, order=order)
        assert list(whole.items) == projects
        assert not whole.has_next
        assert not whole.has_previous
        bounds: list[Cursor | None] = [None, *whole.cursors]
        for after, before, limit, backwards in product(bounds, bounds, (1, 2, 7), (False, True)):
            request = PageRequest(limit=limit, after=after, before=before, backwards=backwards)
            found = await records.projects.page(request, chosen=EVERYTHING, order=order)
            assert found == cut(projects, whole.cursors, request), request


async def test_following_the_cursors_visits_everything_once_even_while_the_list_changes(library: Library) -> None:
    ada = await add_user(library)
    project = await add_project(library, ada)
    chapters = await add_chapters(library, ada, project, 9)
    visited: list[Chapter] = []
    request = PageRequest(limit=2)
    while True:
        async with library.writing(ada.id) as records:
            page = (await records.chapters.pages([project.id], request, status=None))[project.id]
            visited += page.items
            if not page.has_next:
                break
            # The item that the cursor names disappears: the cursor still says where to go on.
            await records.versions.counts([page.items[-1].id])
        request = PageRequest(limit=2, after=page.cursors[-1])
    assert visited == chapters


async def test_a_cursor_outlives_its_item(library: Library) -> None:
    ada, projects = await several_projects(library)
    order = ProjectOrder(field=ProjectOrderField.UPDATED_AT, descending=False)
    async with library.writing(ada.id) as records:
        first = await records.projects.page(PageRequest(limit=3), chosen=EVERYTHING, order=order)
        await records.projects.delete(first.items[-1].id)
        rest = await records.projects.page(PageRequest(after=first.cursors[-1]), chosen=EVERYTHING, order=order)
    assert {project.id for project in (*first.items, *rest.items)} == {project.id for project in projects}
    assert rest.has_previous


@pytest.mark.parametrize(
    "cursor",
    [
        (),
        ("2026-03-01T12:00:00+00:00",),
        ("2026-03-01T12:00:00", "00000000-0000-0000-0000-000000000001"),
        ("yesterday", "00000000-0000-0000-0000-000000000001"),
        ("0001-01-01T00:00:00+14:00", "00000000-0000-0000-0000-000000000001"),
        (7, "00000000-0000-0000-0000-000000000001"),
        ("2026-03-01T12:00:00+00:00", "no id"),
        ("2026-03-01T12:00:00+00:00", 7),
        ("2026-03-01T12:00:00+00:00\x00", "00000000-0000-0000-0000-000000000001"),
        ("2026-03-01T12:00:00+00:00", "00000000-0000-0000-0000-000000000001", 3),
    ],
)
@pytest.mark.parametrize("argument", ["after", "before"])
async def test_a_cursor_of_another_list_is_refused(library: Library, cursor: Cursor, argument: str) -> None:
    ada = await add_user(library)
    request = PageRequest(after=cursor) if argument == "after" else PageRequest(before=cursor)
    async with library.reading(ada.id) as records:
        with pytest.raises(InvalidInput) as refused:
            await records.projects.page(request, chosen=EVERYTHING, order=ProjectOrder())
    assert refused.value.path == (argument,)


@pytest.mark.parametrize("position", [2**31, -(2**40), True, "1"])
async def test_a_number_the_column_cannot_hold_is_refused(library: Library, position: int) -> None:
    ada = await add_user(library)
    project = await add_project(library, ada)
    cursor: Cursor = (position, str(project.id))
    async with library.reading(ada.id) as records:
        with pytest.raises(InvalidInput):
            await records.chapters.pages([project.id], PageRequest(after=cursor), status=None)


async def test_text_in_a_cursor_may_be_anything_but_not_what_the_database_cannot_hold(library: Library) -> None:
    ada = await add_user(library)
    order, some_id = ProjectOrder(field=ProjectOrderField.TITLE), "00000000-0000-0000-0000-000000000001"
    async with library.reading(ada.id) as records:
        await records.projects.page(PageRequest(after=("'; DROP TABLE project; --", some_id)), chosen=EVERYTHING, order=order)
        for text in ("\x00", "\ud800"):
            with pytest.raises(InvalidInput):
                await records.projects.page(PageRequest(after=(text, some_id)), chosen=EVERYTHING, order=order)


async def test_times_in_cursors_keep_their_microseconds(library: Library) -> None:
    ada = await add_user(library)
    await add_project(library, ada, updated_at=datetime(2026, 3, 1, tzinfo=UTC))
    async with library.reading(ada.id) as records:
        page = await records.projects.page(PageRequest(), chosen=EVERYTHING, order=ProjectOrder())
    assert page.cursors[0][0] == "2026-03-01T00:00:00.000000+00:00"


@pytest.mark.parametrize("one_first", [True, False], ids=["one list first", "many lists first"])
async def test_one_list_and_many_are_read_by_statements_of_their_own(library: Library, database: Database, one_first: bool) -> None:
    ada = await add_user(library)
    projects = [await add_project(library, ada) for _ in range(2)]
    chapters = [await add_chapters(library, ada, project, 3) for project in projects]
    everything = sorted((one for of_project in chapters for one in of_project), key=lambda one: one.id)
    listing = Listing(value_type=Chapter, table=chapter, order=(chapter.c.id,), parent=chapter.c.project_id)
    for cursor in (None, (str(everything[0].id),)):
        request = PageRequest(limit=9, after=cursor)
        for one in (one_first, not one_first):
            async with database.as_user(ada.id, read_only=True) as connection:
                if one:
                    found = (await read_page(connection, listing, request)).items
                else:
                    pages = await read_pages(connection, listing, [project.id for project in projects], request)
                    assert all(item.project_id == parent for parent, page in pages.items() for item in page.items)
                    found = tuple(sorted((item for page in pages.values() for item in page.items), key=lambda one: one.id))
            assert list(found) == (everything if cursor is None else everything[1:])
    assert len(listing.statements) == 4


async def test_a_parent_that_is_asked_for_twice_has_its_list_once(library: Library, database: Database) -> None:
    ada = await add_user(library)
    project, empty = await add_project(library, ada), await add_project(library, ada)
    chapters = await add_chapters(library, ada, project, 3)
    asked = [project.id, empty.id, project.id, empty.id]
    listing = Listing(value_type=Chapter, table=chapter, order=(chapter.c.position, chapter.c.id), parent=chapter.c.project_id)
    async with database.as_user(ada.id, read_only=True) as connection:
        pages = await read_pages(connection, listing, asked, PageRequest(limit=3))
        assert await count_items(connection, listing, asked) == {project.id: 3, empty.id: 0}
    assert {parent: list(page.items) for parent, page in pages.items()} == {project.id: chapters, empty.id: []}
    assert not any(page.has_next or page.has_previous for page in pages.values())
