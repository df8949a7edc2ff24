"""What is asked of both servers: a document for ours, and for the bare one a statement that answers the same.

The first parameter of each statement is the user; the others are the document's variables, in their order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from bench.api import statements
from bench.api.shelf import Shelf
from domain.chapters import Chapter
from domain.projects import Project
from schema.ids import Entity

Spelling = Callable[[type[Entity], UUID], str]
Variables = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Case:
    """`goal`: so many times the bare server's processor time ours may take. `variables` are taken in turns."""

    title: str
    document: str
    statement: str
    variables: Callable[[Shelf, Spelling], Sequence[Variables]]
    goal: float
    writes: bool = False


NESTED_LIST = """
query Shelf($first: Int!) {
  projects(first: $first) {
    nodes {
      id title genre updatedAt
      chapters(first: $first) {
        nodes { id title position status updatedAt currentVersion { id number wordCount createdAt origin } }
        pageInfo { hasNextPage endCursor }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
NODE = """
query Opened($id: ID!) {
  node(id: $id) { ... on Project { id title premise genre language targetWordCount createdAt updatedAt } }
}
"""
CHAPTER = """
query Read($id: ID!) {
  chapter(id: $id) {
    id title position status
    currentVersion {
      id number wordCount createdAt origin text
      assessment {
        id score scoreLow scoreHigh judge createdAt
        dimensions { name score rationale }
        findings { id category severity message quote start end suggestion replacement dismissed }
      }
    }
  }
}
"""
UPDATE = """
mutation Retitled($id: ID!, $title: String!) {
  updateChapter(input: {id: $id, title: $title}) {
    chapter { id title position status brief createdAt updatedAt }
    errors { message }
  }
}
"""

PAGE = 20

CASES: Mapping[str, Case] = {
    "nested-list": Case(
        title="20 projects x 20 chapters x the current version's metadata",
        document=NESTED_LIST,
        statement=statements.NESTED_LIST,
        variables=lambda _shelf, _spell: [{"first": PAGE}],
        goal=4,
    ),
    "node": Case(
        title="A project by its id",
        document=NODE,
        statement=statements.NODE,
        variables=lambda shelf, spell: [{"id": spell(Project, shelf.project_id)}],
        goal=2,
    ),
    "chapter": Case(
        title="A chapter with its 15 kB text and its assessment",
        document=CHAPTER,
        statement=statements.CHAPTER,
        variables=lambda shelf, spell: [{"id": spell(Chapter, shelf.read_id)}],
        goal=2,
    ),
    "update": Case(
        title="A chapter's new title",
        document=UPDATE,
        statement=statements.UPDATE,
        variables=lambda shelf, spell: [{"id": spell(Chapter, shelf.updated_id), "title": title} for title in ("High water", "Low water")],
        goal=2,
        writes=True,
    ),
}
