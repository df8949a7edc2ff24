"""Measuring a text that is saved: worth waiting for, as long as nobody waits long."""

import asyncio

from resolvers.chapter_texts import measured


class NeverDone:
    """Surroundings in which measuring takes for ever."""

    async def measure(self, text):
        await asyncio.Event().wait()


async def test_a_text_that_takes_too_long_to_measure_is_saved_without(caplog):
    async with asyncio.timeout(20):
        assert await measured("It rained.", NeverDone(), seconds=0.01) is None
    (record,) = caplog.records
    assert (record.message, record.characters) == ("assessment.measuring_abandoned", 10)
