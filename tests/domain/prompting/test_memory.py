"""What is remembered between prompts stays within its bound, goes with its project, and is never mixed up."""

import gc
import random
import tracemalloc
from array import array
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from domain.prompting.index.text_index import indexed
from domain.prompting.index.vectors import KnownVectors
from domain.prompting.memory import DERIVED_BYTES, ENTRY_BYTES, PROJECT_BYTES, ProjectMemory, PromptMemory

FOG, BELL = indexed("The fog came in over the bar."), indexed("She counted the bell.")


def version(number: int) -> UUID:
    return UUID(int=number)


def prose(words: int, seed: int) -> str:
    chance = random.Random(seed)
    return " ".join(f"{chance.choice('bcdfg')}{int(900 * chance.random() ** 2)}." for _ in range(words))


def test_a_text_is_remembered_by_its_key_in_its_project_only():
    memory = PromptMemory(10**6)
    memory.of(version(1)).keep(version(7), FOG)
    assert memory.of(version(1)).text(version(7)) is FOG
    assert memory.of(version(1)).text(version(8)) is None
    assert memory.of(version(2)).text(version(7)) is None


def test_what_fifty_projects_leave_behind_fits_into_the_capacity_and_so_does_what_it_really_takes_up():
    capacity = 3_000_000
    memory = PromptMemory(capacity)
    offered = 0
    for seed in range(100):
        indexed(prose(1_200, seed=seed))  # what stemming keeps of these words is none of the memory's
    tracemalloc.start()
    try:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for project in range(50):
            for number in range(2):
                text = indexed(prose(1_200, seed=2 * project + number))
                offered += text.size
                memory.of(version(project)).keep(version(number), text)
                assert memory.size <= capacity
            memory.of(version(project)).derived("names", lambda: bytes(20_000), size=len)
            assert memory.size <= capacity
        del text
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert offered > 3 * capacity
    assert 0.2 * capacity < taken < capacity


def test_the_project_used_least_recently_is_forgotten_first():
    size = PROJECT_BYTES + ENTRY_BYTES + FOG.size
    memory = PromptMemory(3 * size)
    for project in (1, 2, 3):
        memory.of(version(project)).keep(version(0), FOG)
    memory.of(version(1))
    memory.of(version(4)).keep(version(0), FOG)
    assert [project for project in (1, 3, 4) if memory.of(version(project)).text(version(0))] == [1, 3, 4]
    assert memory.of(version(2)).text(version(0)) is None


def test_a_project_that_is_forgotten_goes_on_serving_whoever_has_it():
    memory = PromptMemory(PROJECT_BYTES + ENTRY_BYTES + FOG.size + 1_000)
    first = memory.of(version(1))
    first.keep(version(0), FOG)
    memory.of(version(2))
    assert first.text(version(0)) is FOG
    assert first.derived("a", lambda: 1, size=lambda _: 8) == first.derived("a", lambda: 2, size=lambda _: 8) == 1
    assert memory.of(version(1)) is not first
    assert memory.size == PROJECT_BYTES


def test_a_text_that_alone_exceeds_the_capacity_is_not_kept_and_nobody_makes_room_for_it():
    memory = PromptMemory(2 * (PROJECT_BYTES + ENTRY_BYTES + FOG.size))
    memory.of(version(1)).keep(version(0), FOG)
    large = indexed(prose(2_000, seed=1))
    memory.of(version(2)).keep(version(0), large)
    assert memory.of(version(2)).text(version(0)) is None
    assert memory.of(version(1)).text(version(0)) is FOG


def test_without_capacity_nothing_is_kept_between_prompts_but_a_prompt_has_its_own():
    memory = PromptMemory(0)
    own = memory.of(version(1))
    own.keep(version(0), FOG)
    assert own.text(version(0)) is FOG
    assert memory.of(version(1)).text(version(0)) is None
    assert memory.size == 0


def test_texts_that_are_released_are_gone_with_what_was_derived_of_them():
    memory = PromptMemory(10**6)
    project = memory.of(version(1))
    empty = memory.size
    project.keep(version(7), FOG)
    project.keep((version(8), "a"), BELL)
    assert project.derived("words of 7", lambda: 7, size=lambda _: 8, of=version(7)) == 7
    assert project.derived("words of all", lambda: 11, size=lambda _: 8) == 11
    project.release_all_but({(version(8), "a")})
    assert (project.text(version(7)), project.text((version(8), "a"))) == (None, BELL)
    assert project.derived("words of 7", lambda: 70, size=lambda _: 8, of=version(7)) == 70
    assert project.derived("words of all", lambda: 110, size=lambda _: 8) == 11
    project.release_all_but(())
    assert memory.size == project.size == empty + ENTRY_BYTES + 8


def test_a_derived_value_is_made_once_also_when_it_is_none():
    made = []
    project = ProjectMemory()
    for _ in range(3):
        assert project.derived("nothing", lambda: made.append(1), size=lambda _: 0) is None
    assert made == [1]


def test_a_value_that_cannot_be_made_is_not_remembered():
    project = ProjectMemory()
    with pytest.raises(ZeroDivisionError):
        project.derived("a", lambda: 1 // 0, size=lambda _: 8)
    assert project.derived("a", lambda: 1, size=lambda _: 8) == 1


def test_derived_values_have_a_bound_of_their_own_and_the_least_recent_goes_first():
    project = ProjectMemory()
    part = DERIVED_BYTES // 4
    for name in ("a", "b", "c", "a", "d", "e"):
        project.derived(name, lambda name=name: name, size=lambda _: part)
    again = {name: project.derived(name, lambda: "anew", size=lambda _: 0) for name in "acde"}
    assert (again["a"], again["d"], again["e"]) == ("a", "d", "e")
    assert project.derived("b", lambda: "anew", size=lambda _: 0) == "anew"
    assert project.size <= PROJECT_BYTES + DERIVED_BYTES
    assert project.derived("x", lambda: 1, size=lambda _: DERIVED_BYTES + 1) == 1
    assert project.derived("x", lambda: 2, size=lambda _: 1) == 2


def test_many_threads_leave_it_as_large_as_it_says():
    capacity = 60_000
    memory = PromptMemory(capacity)

    def use(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(400):
            project = memory.of(version(chance.randrange(20)))
            number = chance.randrange(10)
            match chance.randrange(4):
                case 0:
                    project.keep(version(number), (FOG, BELL)[number % 2])
                case 1:
                    found = project.text(version(number))
                    assert found is None or found is (FOG, BELL)[number % 2]
                case 2:
                    assert project.derived(number, lambda number=number: number, size=lambda _: 500, of=version(number)) == number
                case _:
                    project.release_all_but({version(other) for other in range(number)})
            assert memory.size <= capacity

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(8)))
    projects = list(memory._projects.values())
    assert memory.size == sum(project.size for project in projects)
    for project in projects:
        project.release_all_but(())
        for number in range(10):
            project.derived(number, lambda: 0, size=lambda _: DERIVED_BYTES)  # makes no room: too large to be kept
        assert project.size == PROJECT_BYTES


def vectors(last, *, model="m"):
    return KnownVectors(model, last, {bytes([number]): array("f", (1.0,)) for number in range(last)})


def test_the_vectors_that_go_further_are_kept_whoever_comes_last():
    project = ProjectMemory()
    assert project.vectors("m") == KnownVectors("m")
    project.keep_vectors(vectors(3))
    project.keep_vectors(vectors(2))
    assert project.vectors("m") == vectors(3)
    assert project.vectors("another") == KnownVectors("another")
    project.keep_vectors(vectors(1, model="another"))
    assert (project.vectors("another"), project.vectors("m")) == (vectors(1, model="another"), KnownVectors("m"))


def test_vectors_take_up_room_and_give_it_back():
    project = ProjectMemory()
    empty = project.size
    project.keep_vectors(vectors(3))
    assert project.size == empty + vectors(3).size
    project.keep_vectors(vectors(1, model="another"))
    assert project.size == empty + vectors(1).size


def test_vectors_that_do_not_fit_are_not_kept():
    memory = PromptMemory(PROJECT_BYTES + vectors(2).size)
    project = memory.of(UUID(int=1))
    project.keep_vectors(vectors(2))
    assert project.vectors("m") == vectors(2)
    project.keep_vectors(vectors(9))
    assert (project.vectors("m"), memory.size) == (KnownVectors("m"), PROJECT_BYTES)
