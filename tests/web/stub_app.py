"""A few fields of the API under their published names, enough for GraphiQL to have something to talk to."""

import asyncio
from collections.abc import AsyncIterator

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.types import Info

from schema.graphiql import graphiql_routes
from schema.story import Tab

TOKEN = "token-of-the-stub"
EVENTS = 30

TABS = (
    Tab("# Who am I?\nquery WhoAmI {\n  viewer {\n    user {\n      name\n    }\n  }\n}\n"),
    Tab(
        "mutation CreateProject($input: CreateProjectInput!) {\n  createProject(input: $input) {\n    project {\n      id\n    }\n  }\n}\n",
        '{\n  "input": {\n    "title": "The Lamplighter\'s Ledger"\n  }\n}\n',
    ),
    Tab(
        "query ReadProject($id: ID!) {\n  project(id: $id) {\n    id\n    title\n  }\n}\n",
        '{\n  "id": "PASTE-PROJECT-ID"\n}\n',
    ),
    Tab(
        "subscription WatchJob($jobId: ID!) {\n  jobEvents(jobId: $jobId) {\n    sequence\n    text\n  }\n}\n",
        '{\n  "jobId": "PASTE-PROJECT-ID"\n}\n',
    ),
)


@strawberry.type
class User:
    name: str


@strawberry.type
class Viewer:
    user: User


@strawberry.type
class Project:
    id: strawberry.ID
    title: str


@strawberry.input
class CreateProjectInput:
    title: str


@strawberry.type
class ProjectPayload:
    project: Project


@strawberry.type
class JobEvent:
    sequence: int
    text: str


def bearer(info: Info) -> str:
    parameters = info.context.get("connection_params") or {}
    authorization = parameters.get("authorization") or info.context["request"].headers.get("authorization", "")
    if authorization != f"Bearer {TOKEN}":
        raise PermissionError("UNAUTHENTICATED")
    return "Ada"


@strawberry.type
class Query:
    @strawberry.field
    def viewer(self, info: Info) -> Viewer:
        return Viewer(user=User(name=bearer(info)))

    @strawberry.field
    def project(self, info: Info, id: strawberry.ID) -> Project | None:  # noqa: A002 - the published name
        bearer(info)
        return Project(id=id, title="The Lamplighter's Ledger") if id == "project_1" else None


@strawberry.type
class Mutation:
    @strawberry.mutation
    def create_project(self, info: Info, input: CreateProjectInput) -> ProjectPayload:  # noqa: A002 - the published name
        bearer(info)
        return ProjectPayload(project=Project(id=strawberry.ID("project_1"), title=input.title))


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def job_events(self, info: Info, job_id: strawberry.ID) -> AsyncIterator[JobEvent]:
        bearer(info)
        for number in range(1, EVENTS + 1):
            yield JobEvent(sequence=number, text=f"{job_id} wrote sentence {number}.")
        if job_id == "endless":
            await asyncio.Event().wait()


def stub_app() -> Starlette:
    schema = strawberry.Schema(Query, Mutation, Subscription)
    endpoint = GraphQL(schema, graphql_ide=None)
    pages = graphiql_routes(endpoint="/graphql", tabs=TABS, development_token=lambda: TOKEN)
    return Starlette(routes=[*pages, Route("/graphql", endpoint), WebSocketRoute("/graphql", endpoint)])
