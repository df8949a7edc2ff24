"""The model that weighs features: chances, and what is made of a sheet when it is needed."""

import pytest

from domain.prompting.lanes.features import sheets
from domain.prompting.lanes.model import CHARACTER, LEAST_IMPORTANCE, MOST_IMPORTANCE, PLACE, Model, Weights
from domain.prompting.scene import prepare
from tests.domain.prompting.book import salt_road, wish

NOTHING = dict.fromkeys(
    {*CHARACTER.needed.features, *CHARACTER.importance.features, *PLACE.needed.features, *PLACE.importance.features}, 0.0
)


def test_every_feature_it_weighs_is_one_that_a_sheet_has():
    for sheet in sheets(prepare(salt_road(), wish())).values():
        assert sheet.features.keys() >= NOTHING.keys()


@pytest.mark.parametrize("model", [CHARACTER, PLACE])
def test_each_kind_of_evidence_raises_the_chance(model):
    for name in ("named", "point_of_view", "like_passages", "comes_with", "linked"):
        assert model.chance({**NOTHING, name: 1.0}) > model.chance({**NOTHING, name: 0.5}) > model.chance(NOTHING)


@pytest.mark.parametrize("name", ["on_page", "prominence", "sheet_fits", "narrator", "away_regular", "cast_size"])
def test_what_the_book_has_made_of_a_character_raises_the_chance_of_it(name):
    assert CHARACTER.chance({**NOTHING, name: 1.0}) > CHARACTER.chance(NOTHING)


def test_long_absence_lowers_the_chance():
    assert CHARACTER.chance({**NOTHING, "absence": 3.0}) < CHARACTER.chance(NOTHING)


@pytest.mark.parametrize("model", [CHARACTER, PLACE])
def test_whoever_tells_the_chapter_is_all_but_certain(model):
    assert model.chance({**NOTHING, "point_of_view": 1.0}) > 0.8
    assert model.chance({**NOTHING, "point_of_view": 1.0, "named": 1.0}) > 0.99


def test_chances_stay_chances_and_importance_within_what_was_measured():
    certain = Model(needed=Weights(intercept=1e9, features={}), importance=Weights(intercept=1e9, features={}))
    never = Model(needed=Weights(intercept=-1e9, features={}), importance=Weights(intercept=-1e9, features={}))
    assert 0 < never.chance({}) < 1e-9 < 1 - 1e-9 < certain.chance({}) <= 1
    assert certain.importance_of({}) == pytest.approx(MOST_IMPORTANCE)
    assert never.importance_of({}) == pytest.approx(LEAST_IMPORTANCE)
    assert Weights(intercept=1.0, features={"a": 2.0, "b": -1.0}).of({"a": 3.0, "b": 1.0, "c": 9.0}) == 6.0
