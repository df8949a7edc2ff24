"""Vectors of texts: their length, their bytes, and which of them are known to a prompt."""

from array import array
from itertools import combinations
from math import sqrt

import pytest

from domain.prompting.index.vectors import KnownVectors, StoredVector, pack_vector, text_key, unit_vector, unpack_vector


def stored(*numbers):
    return [StoredVector(number, bytes([number]), pack_vector(array("f", (1.0, number)))) for number in numbers]


@pytest.mark.parametrize("numbers", [(3.0, 4.0), (1e300, -1e300), (1e-300, 1e-300), (0.1,) * 1536])
def test_a_unit_vector_has_length_one_however_large_its_numbers_are(numbers):
    vector = unit_vector(numbers)
    assert sqrt(sum(value * value for value in vector)) == pytest.approx(1, abs=1e-4)


def test_a_vector_without_a_direction_stays_without():
    assert unit_vector((0.0, 0.0)) == array("f", (0.0, 0.0))


def test_a_vector_is_stored_as_little_endian_floats():
    assert pack_vector(array("f", (1.0, -0.5))) == b"\x00\x00\x80\x3f\x00\x00\x00\xbf"
    assert unpack_vector(b"\x00\x00\x80\x3f\x00\x00\x00\xbf") == array("f", (1.0, -0.5))


def test_two_texts_have_two_keys():
    texts = ["", "a", "b", "a\n", "\ud800", "é", "e\u0301"]
    assert all(text_key(one) != text_key(other) for one, other in combinations(texts, 2))


def test_it_does_not_matter_in_how_many_times_vectors_were_read():
    at_once = KnownVectors("m").with_newer(stored(3, 4, 5, 9), most=3)
    bit_by_bit = KnownVectors("m").with_newer(stored(3, 4), most=3).with_newer(stored(5, 9), most=3)
    late = KnownVectors("m").with_newer(stored(4, 5, 9), most=3)
    assert at_once == bit_by_bit == late == KnownVectors("m", 9, {bytes([n]): array("f", (1.0, n)) for n in (4, 5, 9)})
    assert at_once.with_newer([]) is at_once


def test_the_size_of_what_is_known_goes_with_its_numbers():
    small, large = KnownVectors("m").with_newer(stored(1)), KnownVectors("m").with_newer(stored(1, 2, 3))
    assert large.size == 3 * small.size > 0
