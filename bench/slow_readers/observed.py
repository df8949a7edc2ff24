"""The server under observation, from outside."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
ESTABLISHED = "01"


@dataclass(frozen=True, slots=True)
class Observed:
    """What Linux says about the process that serves on `port`."""

    pid: int
    port: int

    def resident_bytes(self) -> int:
        return int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1]) * PAGE_BYTES

    def open_files(self) -> int:
        """Its connections, and a number of others that stays the same."""
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())

    def kernel_bytes(self) -> int:
        """What the kernel holds for all clients together because they have not taken it."""
        return sum(int(row[4].split(":")[0], 16) for row in self._rows())

    def _rows(self) -> list[list[str]]:
        """The server's ends of connections, those it has given up left out."""
        rows = (line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:])
        return [row for row in rows if int(row[1].rpartition(":")[2], 16) == self.port and row[3] == ESTABLISHED]


@asynccontextmanager
async def served() -> AsyncIterator[Observed]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.slow_readers.server", stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield Observed(process.pid, int(await process.stdout.readline()))
    finally:
        process.terminate()
        await process.wait()
