"""The tables, one module for each part of the story; importing anything from here makes the metadata complete."""

from persistence.tables import assessments, books, identity, jobs, rates, vectors

__all__ = ["assessments", "books", "identity", "jobs", "rates", "vectors"]
