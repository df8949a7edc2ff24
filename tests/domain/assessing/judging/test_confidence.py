"""Student's interval for the mean of a few readings."""

import random
from statistics import mean as plain_mean

import pytest

from domain.assessing.judging.confidence import LEAST_HALF_WIDTH, LONE_HALF_WIDTH, half_width, mean


@pytest.mark.parametrize(
    ("readings", "half"),
    [
        ((40.0, 60.0), 6.314 * 10),  # s = 14.142, over the root of 2
        ((50.0, 60.0, 70.0), 2.920 * 10 / 3**0.5),
        ((52.0, 58.0, 61.0, 69.0), 2.353 * 7.0710678 / 2),
        (tuple(float(number) for number in range(31)), 1.697 * 9.092121 / 31**0.5),
        (tuple(float(number % 50) for number in range(100)), 1.697 * 14.503570 / 10),
    ],
)
def test_it_is_t_times_the_standard_error(readings, half):
    assert half_width(readings) == pytest.approx(max(LEAST_HALF_WIDTH, half), rel=1e-4)


def test_readings_that_agree_are_not_taken_to_be_certain_and_one_reading_tells_little():
    assert half_width((60.0, 60.0, 60.0, 60.0)) == LEAST_HALF_WIDTH
    assert half_width((60.0,)) == LONE_HALF_WIDTH
    assert mean((60.0,)) == 60.0


@pytest.mark.parametrize("count", [3, 4, 8])
def test_nine_intervals_in_ten_hold_the_true_mean(count):
    chance = random.Random(count)
    held = 0
    for _ in range(4_000):
        readings = [chance.gauss(55, 12) for _ in range(count)]
        held += abs(plain_mean(readings) - 55) <= half_width(readings)
    assert 0.88 < held / 4_000 < 0.92
