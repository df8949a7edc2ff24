"""Ids are UUIDs of version 7: they carry their time, and sort by it."""

import time
from uuid import RFC_4122

from domain.identifiers import uuid7


def test_an_id_is_a_uuid_of_version_7():
    made = uuid7()
    assert (made.version, made.variant) == (7, RFC_4122)


def test_an_id_begins_with_the_milliseconds_it_was_made_in():
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000
    assert before <= made.int >> 80 <= after


def test_ids_of_one_moment_differ_in_every_random_bit():
    made = [uuid7().int for _ in range(500)]
    assert len(set(made)) == len(made)
    always_set, ever_set = ~0, 0
    for number in made:
        always_set &= number
        ever_set |= number
    random_bits = ((1 << 12) - 1) << 64 | ((1 << 62) - 1)
    assert ever_set & random_bits == random_bits
    assert always_set & random_bits == 0
