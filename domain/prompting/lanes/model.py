"""The model that weighs a sheet's features: how likely the chapter needs it, and how much is made of it then.

A logistic and a linear regression, fitted on ten public-domain novels whose readers have marked who appears in which chapter. The features
and the ridge were chosen by leaving one novel out; bench/context/README.md has the figures and says what each lane contributes. The
point of view is no part of those novels' briefs: its coefficient is set by hand, so that whoever tells a chapter is all but certain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from types import MappingProxyType

LEAST_IMPORTANCE, MOST_IMPORTANCE = 1.0, 7.5
"""Of what is needed: 1 + log2 of how often a chapter names it; 7.5 is some ninety times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    intercept: float
    features: Mapping[str, float]

    def of(self, features: Mapping[str, float]) -> float:
        return self.intercept + sum(weight * features[name] for name, weight in self.features.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    needed: Weights
    importance: Weights

    def chance(self, features: Mapping[str, float]) -> float:
        """That the chapter needs the sheet, 0..1."""
        return 1 / (1 + exp(-max(-30.0, min(30.0, self.needed.of(features)))))

    def importance_of(self, features: Mapping[str, float]) -> float:
        """How much is made of the sheet, if the chapter needs it."""
        return max(LEAST_IMPORTANCE, min(MOST_IMPORTANCE, self.importance.of(features)))


CHARACTER = Model(
    needed=Weights(
        intercept=-4.11,
        features=MappingProxyType(
            {
                "named": 3.51,
                "point_of_view": 6.0,
                "on_page": 0.63,
                "absence": -0.35,
                "away_regular": 0.81,
                "per_chapter": -0.44,
                "prominence": 6.1,
                "sheet_fits": 0.71,
                "like_passages": 2.76,
                "comes_with": 1.26,
                "linked": 1.26,
                "narrator": 1.99,
                "cast_size": 2.34,
                "sheet_length": 0.3,
                "steady_recent": -3.15,
            }
        ),
    ),
    importance=Weights(
        intercept=2.04,
        features=MappingProxyType(
            {
                "usual_weight": 0.1,
                "narrator": 2.67,
                "absence": 0.03,
                "sheet_fits": 0.49,
                "on_page_told": 0.5,
                "like_passages": 2.28,
                "commonness": -0.28,
                "named": 0.36,
            }
        ),
    ),
)
PLACE = Model(
    needed=Weights(
        intercept=-1.64,
        features=MappingProxyType(
            {
                "named": 5.37,
                "point_of_view": 6.0,
                "recent": 0.94,
                "commonness": 0.34,
                "like_passages": 3.91,
                "once_only": 0.7,
                "comes_with": 0.44,
                "last_but_one": 0.29,
                "linked": 1.42,
            }
        ),
    ),
    importance=Weights(
        intercept=0.73,
        features=MappingProxyType(
            {
                "usual_weight": 0.41,
                "named": 0.4,
            }
        ),
    ),
)
