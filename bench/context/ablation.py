"""`python -m bench.context.ablation --data FOLDER --benchmark bench.py`: what each part of the optimizer contributes, by switching it off.

The features of a lane that is off count with their mean, so that the model says the same of every sheet where it would have told them
apart; nothing is fitted anew. So a row shows what the model as it stands would miss, which overstates what the lane is worth: other features
would have taken over a part of it in a fit without the lane.
"""

import argparse
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from bench.context.selector import MODEL, Selector
from bench.context.state import State, States
from domain.prompting import optimizer, passage_candidates, reference_candidates
from domain.prompting.candidates import Variant
from domain.prompting.lanes import judgement
from domain.prompting.lanes.features import sheets
from domain.prompting.lanes.model import CHARACTER, PLACE, Model, Weights
from domain.prompting.material import PromptWish
from domain.prompting.scene import prepare
from domain.prompting.selection import queue

LANES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "names in the request": ("named",),
        "passages like the request, and who is in them": ("like_passages",),
        "words of the request in the sheet": ("sheet_fits",),
        "who comes with whom": ("comes_with",),
        "whose sheet names whom": ("linked",),
        "the page before": ("on_page", "on_page_told", "absence", "last_but_one"),
        "recency and prominence": (
            "recent", "steady_recent", "away_regular", "once_only", "per_chapter", "prominence", "commonness", "usual_weight",
        ),
        "the narrator": ("narrator",),
        "size of the cast, length of the sheet": ("cast_size", "sheet_length"),
    }
)  # fmt: skip
_variants = reference_candidates._variants  # noqa: SLF001  - what is switched off has no name outside


def _only_complete(*arguments: Any) -> list[Variant]:
    return [variant for variant in _variants(*arguments) if variant.complete]


PARTS: Mapping[str, Callable[[], Any]] = MappingProxyType(
    {
        "call-backs": partial(patch.object, passage_candidates, "MOST_CALLBACKS", 0),
        "passages found by their words": partial(patch.object, passage_candidates, "MOST_HITS", 0),
        "excerpts of sheets (whole texts only)": lambda: patch.object(reference_candidates, "_variants", _only_complete),
        "shares of the groups": partial(patch.object, optimizer, "queue", lambda offers, _shares: queue(offers)),
    }
)
FIGURES = ("need", "cast", "places", "threads")
Means = Mapping[bool, Mapping[str, float]]
"""The mean of each feature, among characters and among places."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The scorer, a module given by its path, and the data it is to score on, of which every `every`-th project is taken."""

    scorer: Any
    data: str
    every: int

    def states(self, folder: Path) -> Iterator[tuple[State, Mapping[str, Any], Sequence[Mapping[str, Any]]]]:
        """The projects, as materialised in `folder`, each with its items by their ids and its briefs."""
        _, _, briefs = self.scorer.load_split(self.data)
        by_project: dict[tuple[str, int], list[Mapping[str, Any]]] = defaultdict(list)
        for brief in briefs:
            by_project[brief["novel"], brief["k"]].append(brief)
        reader = States()
        for novel, section in sorted(by_project)[:: self.every]:
            described = json.loads((folder / "projects" / f"{novel}-{section:03d}.json").read_text(encoding="utf-8"))
            yield reader.read(described), {item["id"]: item for item in described["items"]}, by_project[novel, section]

    def gold(self) -> Mapping[str, Any]:
        return {each["brief_id"]: each for _, each in self.scorer.rjsonl(self.scorer.find(self.data, "gold.jsonl"))}

    def mentions(self, novel: str) -> Mapping[str, Any]:
        path = Path(self.data) / "novels" / f"{novel}.mentions.json.gz"
        found: Mapping[str, Any] = self.scorer.rjson(str(path)) if path.exists() else {}
        return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.context.ablation", description=__doc__)
    parser.add_argument("--data", required=True, help="the benchmark's folder of novels, briefs and gold")
    parser.add_argument("--benchmark", required=True, help="the path of its scorer, a Python module")
    parser.add_argument("--budgets", default="2000,4000,8000")
    parser.add_argument("--every", type=int, default=1, help="take only every so-and-so-many-th project (3: a third of them)")
    asked = parser.parse_args()
    benchmark = Benchmark(_module(asked.benchmark), asked.data, asked.every)
    budgets = [int(budget) for budget in asked.budgets.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        levels = ",".join(benchmark.scorer.LEVELS)
        benchmark.scorer.materialize(argparse.Namespace(data=asked.data, out=folder, budgets=asked.budgets, levels=levels, limit=0))
        scores = _scores(benchmark, Path(folder), budgets, _means(benchmark, Path(folder)))
    _report(benchmark, scores, budgets)


def _module(path: str) -> Any:
    spec = spec_from_file_location("scorer", path)
    assert spec is not None, f"{path} is no Python module"
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _means(benchmark: Benchmark, folder: Path) -> Means:
    sums: Mapping[bool, Counter[str]] = {True: Counter(), False: Counter()}
    seen: Counter[bool] = Counter()
    for state, _, briefs in benchmark.states(folder):
        for brief in briefs:
            scene = prepare(state.material, PromptWish(model=MODEL, token_budget=1, brief=brief["brief"]))
            for sheet in sheets(scene).values():
                sums[sheet.is_character].update(sheet.features)
                seen[sheet.is_character] += 1
    return {kind: {name: total / seen[kind] for name, total in features.items()} for kind, features in sums.items()}


def _scores(benchmark: Benchmark, folder: Path, budgets: Sequence[int], means: Means) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """What the scorer says of each case, by what was switched off; the rows of "" are those of the whole."""
    selector, gold = Selector(), benchmark.gold()
    switches: dict[str, Callable[[], Any]] = {"": ExitStack}
    switches |= {name: partial(_without, features, means) for name, features in LANES.items()} | dict(PARTS)
    rows: dict[str, list[Mapping[str, Any]]] = {name: [] for name in switches}
    for state, items, briefs in benchmark.states(folder):
        mentions = benchmark.mentions(briefs[0]["novel"])
        for brief in briefs:
            for name, switched_off in switches.items():
                with switched_off():
                    answers = [(budget, selector.select(state, brief=brief["brief"], budget=budget)) for budget in budgets]
                for budget, answer in answers:
                    _, chosen = benchmark.scorer.norm_answer({"case_id": "", "items": answer}, "the selector")
                    score = benchmark.scorer.score_case(chosen, items, gold[brief["brief_id"]], budget, mentions, brief["brief"])
                    rows[name].append({**score, "novel": brief["novel"], "level": brief["level"], "budget": budget, "missing": False})
    return rows


@contextmanager
def _without(features: Sequence[str], means: Means) -> Iterator[None]:
    with (
        patch.object(judgement, "CHARACTER", _blind(CHARACTER, features, means[True])),
        patch.object(judgement, "PLACE", _blind(PLACE, features, means[False])),
    ):
        yield


def _blind(model: Model, features: Sequence[str], means: Mapping[str, float]) -> Model:
    def blind(weights: Weights) -> Weights:
        usual = sum(weight * means[name] for name, weight in weights.features.items() if name in features)
        return replace(
            weights,
            intercept=weights.intercept + usual,
            features={name: 0.0 if name in features else weight for name, weight in weights.features.items()},
        )

    return Model(needed=blind(model.needed), importance=blind(model.importance))


def _report(benchmark: Benchmark, scores: Mapping[str, Sequence[Mapping[str, Any]]], budgets: Sequence[int]) -> None:
    """A table in Markdown: the whole, then by how much each figure changes (in thousandths) without a part."""
    tables = {name: benchmark.scorer.table(rows) for name, rows in scores.items()}
    print(f"{len(scores['']) // len(budgets)} briefs, one project of {benchmark.every}; {', '.join(FIGURES)} at each budget")
    print(f"| without | {' | '.join(f'{budget:,}' for budget in budgets)} |")
    print(f"| --- |{' --- |' * len(budgets)}")
    whole = tables[""]
    for name, table in tables.items():
        cells = []
        for budget in map(str, budgets):
            figures, all_of_it = table[budget]["all"], whole[budget]["all"]
            cells.append(
                " ".join(_figure(figures[figure]) if not name else _change(figures[figure], all_of_it[figure]) for figure in FIGURES)
            )
        print(f"| {name or '(nothing)'} | {' | '.join(cells)} |")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"  # noqa: RUF001  - a dash


def _change(value: float | None, before: float | None) -> str:
    return "–" if value is None or before is None else f"{1000 * (value - before):+.0f}"  # noqa: RUF001  - a dash


if __name__ == "__main__":
    main()
