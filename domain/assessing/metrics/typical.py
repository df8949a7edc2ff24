"""Where nine in ten chapters of published novels lie, by metric. The data file says what was counted, and how it was made."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

_DATA = Path(__file__).with_name("typical_ranges.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypicalRange:
    """In the metric's unit; `source` says whose chapters these are, and where the range was widened."""

    low: float
    high: float
    source: str

    def distance(self, value: float) -> float:
        """How far outside the value lies; negative below the range, 0 within."""
        return min(0.0, value - self.low) or max(0.0, value - self.high)


@cache
def typical_ranges() -> Mapping[str, TypicalRange]:
    """Of English prose only: other languages have other sentences."""
    document = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    source = document.pop("source")
    return MappingProxyType({name: _range(entry, source) for name, entry in document.items()})


def _range(entry: Mapping[str, float | str], source: str) -> TypicalRange:
    widened = entry.get("widened")
    return TypicalRange(low=float(entry["low"]), high=float(entry["high"]), source=f"{source} {widened}" if widened else source)
