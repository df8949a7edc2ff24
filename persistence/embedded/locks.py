"""Locks that the kernel takes away from a process that dies, however it died: nothing is left behind to clean up."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

if sys.platform != "win32":
    import fcntl


@dataclass(frozen=True, slots=True)
class FileLock:
    """One held lock. A program started meanwhile does not inherit it, unless the descriptor is passed on by name."""

    descriptor: int

    @classmethod
    def shared(cls, path: Path) -> Self:
        """Wait for it: exclusive holders of this project hold it for microseconds."""
        descriptor = _open(path)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return cls(descriptor)

    @classmethod
    def exclusive(cls, path: Path) -> Self | None:
        """Take it now, or get None because somebody else has it."""
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(descriptor)

    def release(self) -> None:
        os.close(self.descriptor)


@contextmanager
def exclusively(path: Path) -> Iterator[bool]:
    """Whether the lock is ours for the length of the block."""
    lock = FileLock.exclusive(path)
    try:
        yield lock is not None
    finally:
        if lock:
            lock.release()


def _open(path: Path) -> int:
    # Read-only is enough for flock and lets two accounts share the file.
    return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
