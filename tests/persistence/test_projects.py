"""Projects and their members, in a real database."""

from decimal import Decimal

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from domain.access import Membership, Role
from domain.chapters import ChapterStatus
from domain.errors import NotFound
from domain.genre_overrides import GenreOverride, OwnShare, OwnWeight
from domain.paging import PageRequest
from domain.ports import Library
from domain.projects import GenerationSettings, Genre, PointOfView, ProjectFilter, ProjectOrder, ProjectOrderField, ProjectProgress, Tense
from domain.reference_files import ReferenceKind
from domain.spending import ZERO, Budget
from tests.factories import NOON, a_project, a_version, add_chapters, add_member, add_project, add_user

EVERYTHING = ProjectFilter()
BY_TITLE = ProjectOrder(field=ProjectOrderField.TITLE, descending=False)


async def test_a_project_comes_back_as_it_was_stored(library: Library) -> None:
    ada = await add_user(library)
    project = a_project(
        point_of_view=PointOfView.FIRST,
        tense=Tense.PAST,
        audience="Ten to twelve",
        target_word_count=80_000,
        settings=GenerationSettings(model="m", temperature=0.25, quality_target=81.5),
        budget_limit=Decimal("12.345678"),
        archived_at=NOON,
        genre_override=GenreOverride(
            emphasis=(OwnWeight(kind=ReferenceKind.WORLD, weight=1.0), OwnWeight(kind=ReferenceKind.STYLE, weight=0.3)),
            shares=(OwnShare(group="earlier text", floor=None, ceiling=0.15), OwnShare(group="cast", floor=0.1, ceiling=1.0)),
            guidance="",
        ),
    )
    async with library.writing(ada.id) as records:
        await records.projects.create(project, owner=ada.id)
    async with library.reading(ada.id) as records:
        assert await records.projects.get_many([project.id]) == {project.id: project}
        assert await records.projects.roles([project.id]) == {project.id: Role.OWNER}


async def test_changes_touch_only_the_fields_they_name(library: Library) -> None:
    ada = await add_user(library)
    project = await add_project(library, ada)
    async with library.writing(ada.id) as records:
        await records.projects.update(project.id, {"title": "Ebb", "genre": Genre.HORROR, "settings": GenerationSettings(model="n")})
    async with library.reading(ada.id) as records:
        stored = (await records.projects.get_many([project.id]))[project.id]
    assert (stored.title, stored.genre, stored.settings.model, stored.premise) == ("Ebb", Genre.HORROR, "n", project.premise)


async def test_a_project_without_a_word_of_its_own_on_its_genre_has_null_there(library: Library, owner_url: str) -> None:
    """Null of SQL: a document that says null is one, and would have to be read."""
    ada = await add_user(library)
    never, no_more = await add_project(library, ada), await add_project(library, ada, genre_override=GenreOverride(guidance="Fog."))
    async with library.writing(ada.id) as records:
        await records.projects.update(no_more.id, {"genre_override": None})
    async with library.reading(ada.id) as records:
        stored = await records.projects.get_many([never.id, no_more.id])
    assert [stored[project.id].genre_override for project in (never, no_more)] == [None, None]
    with psycopg.connect(owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM project WHERE genre_override IS NULL").fetchone() == (2,)


async def test_an_unknown_field_is_refused(library: Library) -> None:
    ada = await add_user(library)
    project = await add_project(library, ada)
    async with library.writing(ada.id) as records:
        with pytest.raises(ValueError, match="id_of_owner"):
            await records.projects.update(project.id, {"id_of_owner": ada.id})


async def test_a_failed_transaction_leaves_nothing_behind(library: Library) -> None:
    ada = await add_user(library)

    async def fail_half_way() -> None:
        async with library.writing(ada.id) as records:
            await records.projects.create(a_project(), owner=ada.id)
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        await fail_half_way()
    async with library.reading(ada.id) as records:
        assert await records.projects.count(chosen=EVERYTHING) == 0


async def test_the_list_is_ordered_and_filtered(library: Library) -> None:
    ada, bob = await add_user(library), await add_user(library, "Bob")
    zebra = await add_project(library, ada, title="zebra", genre=Genre.HORROR)
    apple = await add_project(library, ada, title="Apple")
    archived = await add_project(library, ada, title="mango", archived_at=NOON)
    await add_project(library, bob, title="Bob's own")
    async with library.reading(ada.id) as records:
        whole = await records.projects.page(PageRequest(), chosen=EVERYTHING, order=BY_TITLE)
        assert [project.title for project in whole.items] == ["Apple", "mango", "zebra"]
        for chosen, expected in {
            ProjectFilter(archived=False): [apple, zebra],
            ProjectFilter(archived=True): [archived],
            ProjectFilter(genre=(Genre.HORROR, Genre.ROMANCE)): [zebra],
            ProjectFilter(genre=()): [],
            ProjectFilter(title_contains="PPL"): [apple],
        }.items():
            page = await records.projects.page(PageRequest(), chosen=chosen, order=BY_TITLE)
            assert list(page.items) == expected
            assert await records.projects.count(chosen=chosen) == len(expected)


@pytest.mark.parametrize("wildcard", ["%", "_", "/", "\\", "100%"])
async def test_wildcards_in_a_title_search_mean_themselves(library: Library, wildcard: str) -> None:
    ada = await add_user(library)
    await add_project(library, ada, title="Nothing special")
    match = await add_project(library, ada, title=f"a{wildcard}b")
    async with library.reading(ada.id) as records:
        page = await records.projects.page(PageRequest(), chosen=ProjectFilter(title_contains=wildcard), order=BY_TITLE)
    assert list(page.items) == [match]


async def test_members_are_listed_oldest_first_and_may_change(library: Library) -> None:
    ada, bob = await add_user(library), await add_user(library, "Bob")
    project = await add_project(library, ada)
    joined = Membership(project.id, bob.id, Role.VIEWER, NOON.replace(hour=13))
    async with library.writing(ada.id) as records:
        await records.projects.add_member(joined)
        await records.projects.change_role(project.id, bob.id, Role.EDITOR)
    async with library.reading(bob.id) as records:
        members = (await records.projects.members([project.id]))[project.id]
        assert [(member.user_id, member.role) for member in members] == [(ada.id, Role.OWNER), (bob.id, Role.EDITOR)]
        assert await records.projects.roles([project.id]) == {project.id: Role.EDITOR}
    async with library.writing(ada.id) as records:
        await records.projects.remove_member(project.id, bob.id)
    async with library.reading(bob.id) as records:
        assert await records.projects.get_many([project.id]) == {}


async def test_a_member_may_leave_but_not_send_others_away(library: Library) -> None:
    ada, bob = await add_user(library), await add_user(library, "Bob")
    project = await add_project(library, ada)
    await add_member(library, ada, project, bob, Role.EDITOR)
    async with library.writing(bob.id) as records:
        with pytest.raises(NotFound):
            await records.projects.remove_member(project.id, ada.id)
        await records.projects.remove_member(project.id, bob.id)
    async with library.reading(ada.id) as records:
        assert len((await records.projects.members([project.id]))[project.id]) == 1


async def test_nobody_becomes_owner_of_what_exists_already(library: Library) -> None:
    ada, bob = await add_user(library), await add_user(library, "Bob")
    project = await add_project(library, ada)
    async with library.writing(ada.id) as records:
        await records.projects.remove_member(project.id, ada.id)
    with pytest.raises(DBAPIError, match="row-level security"):
        async with library.writing(bob.id) as records:
            await records.projects.create(project, owner=bob.id)


async def test_deleting_a_project_deletes_everything_in_it(library: Library) -> None:
    ada = await add_user(library)
    project = await add_project(library, ada)
    (chapter,) = await add_chapters(library, ada, project, 1)
    async with library.writing(ada.id) as records:
        version = await records.versions.add(a_version(chapter), make_current=True)
        await records.projects.delete(project.id)
    async with library.reading(ada.id) as records:
        assert await records.projects.get_many([project.id]) == {}
        assert await records.chapters.get_many([chapter.id]) == {}
        assert await records.versions.texts([version.id]) == {}


async def test_progress_counts_chapters_and_the_words_of_their_current_versions(library: Library) -> None:
    ada = await add_user(library)
    project, empty = await add_project(library, ada), await add_project(library, ada)
    first, second, _ = await add_chapters(library, ada, project, 3)
    async with library.writing(ada.id) as records:
        await records.versions.add(a_version(first, "one two three four"), make_current=True)
        await records.versions.add(a_version(first, "one two"), make_current=True)
        await records.versions.add(a_version(second, "one two three"), make_current=True)
        await records.chapters.update(second.id, {"status": ChapterStatus.FINAL})
    async with library.reading(ada.id) as records:
        assert await records.projects.progress([project.id, empty.id]) == {
            project.id: ProjectProgress(chapters=3, drafted=2, final=1, word_count=5),
            empty.id: ProjectProgress(chapters=0, drafted=0, final=0, word_count=0),
        }


async def test_a_budget_without_jobs_is_all_there(library: Library) -> None:
    ada = await add_user(library)
    project = await add_project(library, ada, budget_limit=Decimal(5))
    async with library.reading(ada.id) as records:
        (budget,) = (await records.projects.budgets([project.id])).values()
    assert budget == Budget(limit=Decimal("5.000000"), spent=ZERO, reserved=ZERO)


async def test_only_an_editor_may_lock_a_project(library: Library) -> None:
    ada, bob = await add_user(library), await add_user(library, "Bob")
    project = await add_project(library, ada)
    await add_member(library, ada, project, bob, Role.COMMENTER)
    async with library.writing(ada.id) as records:
        assert await records.projects.lock(project.id) == project
    async with library.writing(bob.id) as records:
        assert await records.projects.lock(project.id) is None
