"""A client that sends whatever it is given and shows exactly what comes back."""

import json
from dataclasses import dataclass
from typing import Any

from commands.demo.client import Client
from tests.api import ERROR
from tests.server.served_schema import input_type, result_field

GRAPHQL_RESPONSE = "application/graphql-response+json"

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Data

    @property
    def data(self) -> Data:
        """Of a request that was answered without errors."""
        assert "errors" not in self.body, self.body
        return dict(self.body["data"])

    @property
    def error(self) -> Data:
        """The only error of a request."""
        assert "errors" in self.body, self.body
        (error,) = self.body["errors"]
        return dict(error)

    @property
    def code(self) -> str:
        return str(self.error["extensions"]["code"])


class Caller:
    def __init__(self, client: Client) -> None:
        self.client = client

    async def send(self, document: str, /, **variables: Any) -> Answer:
        """As ASCII: half a surrogate pair goes out as its escape, which UTF-8 could not carry."""
        return await self.send_bytes(json.dumps({"query": document, "variables": variables}).encode())

    async def send_bytes(self, body: bytes) -> Answer:
        headers = {"Content-Type": "application/json", "Accept": GRAPHQL_RESPONSE}
        response = await self.client._http.post("/graphql", content=body, headers=headers)
        return Answer(response.status_code, response.json())

    async def attempt(self, mutation: str, /, **values: Any) -> Answer:
        """A mutation that may be refused before it is one."""
        result = result_field(mutation)
        chosen = result if result == "deletedId" else f"{result} {{ id }}"
        document = f"mutation($input: {input_type(mutation)}!) {{ {mutation}(input: $input) {{ {chosen} errors {{ {ERROR} }} }} }}"
        return await self.send(document, input=values)

    async def payload(self, mutation: str, /, **values: Any) -> Data:
        return dict((await self.attempt(mutation, **values)).data[mutation])

    async def refusal(self, mutation: str, /, **values: Any) -> Data:
        """The only error of a payload that has nothing else."""
        payload = await self.payload(mutation, **values)
        assert payload["errors"], f"{mutation} was not refused"
        (error,) = payload.pop("errors")
        assert list(payload.values()) == [None]
        return dict(error)

    async def change(self, mutation: str, /, **values: Any) -> str:
        """The id of what was changed."""
        payload = await self.payload(mutation, **values)
        assert payload.pop("errors") == []
        (changed,) = payload.values()
        return str(changed if isinstance(changed, str) else changed["id"])
