"""The tables, one module for each part of the story; importing anything from here makes the metadata complete."""

from persistence.tables import books, identity, jobs, rates, vectors

__all__ = ["books", "identity", "jobs", "rates", "vectors"]
