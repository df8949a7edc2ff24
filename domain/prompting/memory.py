"""What prompts remember from one to the next: the indexed texts of projects, and what was worked out from them.

Nobody's access is decided here. Whoever takes something from a project's memory has read in their own transaction, under row security,
that the project is theirs to see, and asks only for texts whose keys they have read there: a key alone opens nothing, since ids and
hashes of what one may not see are never listed. All members of a project may read all of its texts, so what was derived from them is
for all of its members.

Everything may be called by many threads at once. Sizes are approximate, in bytes.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, TypeAlias, TypeVar, cast
from uuid import UUID

from domain.prompting.index.text_index import IndexedText
from domain.prompting.index.vectors import KnownVectors
from domain.reference_files import ReferenceFile

Value = TypeVar("Value")

TextKey: TypeAlias = UUID | tuple[UUID, str]
"""A chapter's version, or a reference file with its sha256: what never changes its text."""

ALONE_BYTES: Final = 128_000_000
"""What a project's memory may take up that nobody keeps: it goes with the prompt that it serves."""

DERIVED_BYTES: Final = 48_000_000
"""What a project's derived values may take up; those used least recently make room for others.

Each prompt asks for those of all of its chapters, some 15 MB for a series of 1.6 million tokens. Where they do not fit, each makes room
for the next, and all of them are made anew every time.
"""

ENTRY_BYTES: Final = 300
PROJECT_BYTES: Final = 2_000


def key_of(file: ReferenceFile) -> TextKey:
    return file.id, file.sha256


@dataclass(frozen=True, slots=True)
class _Derived:
    value: Any
    size: int
    of: TextKey | None


class ProjectMemory:
    """Of one project. What does not fit is not kept, and is made or loaded anew the next time."""

    def __init__(self, *, resize: Callable[["ProjectMemory", int], bool] | None = None) -> None:
        self._lock = Lock()
        self._resize = resize or _within(ALONE_BYTES)
        self._texts: dict[TextKey, tuple[IndexedText, int]] = {}
        self._derived: OrderedDict[Hashable, _Derived] = OrderedDict()
        self._derived_bytes = 0
        self._vectors = KnownVectors()
        self._vector_bytes = 0
        self._size = PROJECT_BYTES

    @property
    def size(self) -> int:
        return self._size

    def text(self, key: TextKey) -> IndexedText | None:
        with self._lock:
            found = self._texts.get(key)
        return None if found is None else found[0]

    def keep(self, key: TextKey, text: IndexedText) -> None:
        size = text.size + ENTRY_BYTES
        with self._lock:
            if key not in self._texts and self._take(size):
                self._texts[key] = (text, size)

    def release_all_but(self, keys: Collection[TextKey]) -> None:
        """Forget all other texts, and what was derived of them."""
        with self._lock:
            for key in [key for key in self._texts if key not in keys]:
                self._give_back(self._texts.pop(key)[1])
            for name in [name for name, derived in self._derived.items() if derived.of is not None and derived.of not in keys]:
                self._forget(name)

    def vectors(self, model: str) -> KnownVectors:
        """Those that are kept of this model."""
        with self._lock:
            return self._vectors if self._vectors.model == model else KnownVectors(model)

    def keep_vectors(self, known: KnownVectors) -> None:
        """In place of those that are kept, unless these go further."""
        size = known.size
        with self._lock:
            if known.model == self._vectors.model and known.last <= self._vectors.last:
                return
            self._give_back(self._vector_bytes)
            self._vectors, self._vector_bytes = (known, size) if self._take(size) else (KnownVectors(), 0)

    def derived(self, key: Hashable, make: Callable[[], Value], *, size: Callable[[Value], int], of: TextKey | None = None) -> Value:
        """What `make` makes, or has made before under this key, which must say all that the value depends on.

        Two threads that ask at once may both make it, and get the same. `size` says about how many bytes a value takes up. With `of` it
        is forgotten together with that text.
        """
        with self._lock:
            if (known := self._derived.get(key)) is not None:
                self._derived.move_to_end(key)
                return cast("Value", known.value)
        value = make()
        bytes_taken = size(value) + ENTRY_BYTES
        with self._lock:
            if (known := self._derived.get(key)) is not None:
                return cast("Value", known.value)
            if self._make_room_for_derived(bytes_taken):
                self._derived[key] = _Derived(value, bytes_taken, of)
                self._derived_bytes += bytes_taken
        return value

    def _make_room_for_derived(self, size: int) -> bool:
        if size > DERIVED_BYTES:
            return False
        while self._derived_bytes + size > DERIVED_BYTES:
            self._forget(next(iter(self._derived)))
        while not self._take(size):
            if not self._derived:
                return False
            self._forget(next(iter(self._derived)))
        return True

    def _forget(self, key: Hashable) -> None:
        size = self._derived.pop(key).size
        self._derived_bytes -= size
        self._give_back(size)

    def _take(self, size: int) -> bool:
        if not self._resize(self, self._size + size):
            return False
        self._size += size
        return True

    def _give_back(self, size: int) -> None:
        self._size -= size
        self._resize(self, self._size)


class PromptMemory:
    """Of all projects of this process, never larger than `capacity_bytes`: the project used least recently is forgotten first.

    A project that is forgotten while a prompt is made of it goes on serving that prompt, and is gone with it. `embedding_model` is the one
    whose vectors prompts of this process look at; without one they look at none.
    """

    def __init__(self, capacity_bytes: int, *, embedding_model: str | None = None) -> None:
        self.embedding_model = embedding_model
        self._capacity = capacity_bytes
        self._lock = Lock()
        self._projects: OrderedDict[UUID, ProjectMemory] = OrderedDict()
        self._sizes: dict[ProjectMemory, int] = {}
        self._size = 0

    @property
    def size(self) -> int:
        return self._size

    def of(self, project_id: UUID) -> ProjectMemory:
        """For whoever has read the project's row in a transaction of their own, see above."""
        with self._lock:
            if (known := self._projects.get(project_id)) is not None:
                self._projects.move_to_end(project_id)
                return known
            if self._capacity < PROJECT_BYTES:
                return ProjectMemory()
            memory = ProjectMemory(resize=self._resize)
            self._projects[project_id] = memory
            self._sizes[memory] = 0
            self._change(memory, memory.size)
            return memory

    def _resize(self, memory: ProjectMemory, size: int) -> bool:
        """Whether the project may be so large; others have made room for it. One that is forgotten only has itself to mind."""
        with self._lock:
            if memory not in self._sizes:
                return size <= self._capacity
            return self._change(memory, size)

    def _change(self, memory: ProjectMemory, size: int) -> bool:
        if size > self._capacity:
            return False
        while self._size - self._sizes[memory] + size > self._capacity:
            oldest = next(project_id for project_id, other in self._projects.items() if other is not memory)
            self._size -= self._sizes.pop(self._projects.pop(oldest))
        self._size += size - self._sizes[memory]
        self._sizes[memory] = size
        return True


def _within(capacity: int) -> Callable[[ProjectMemory, int], bool]:
    return lambda _, size: size <= capacity
