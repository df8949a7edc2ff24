"""A model that writes prose where it is asked to, and answers as a judge or an editor where JSON of a schema is asked for."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.llm.model import Message, Role
from domain.llm.rehearsal_answers import RehearsedAnswer
from tests.fakes.model_behaviours import Call, Script, reply

Answer = dict[str, Any]


def as_it_is(answer: Answer, _: Call) -> Answer | str:
    return answer


@dataclass
class Judge:
    """A behaviour of the scripted model server. `change` makes something else of an answer that is true to its schema, by the schema's name.

    `asked` are the schemas' names in the order of the calls, "" for prose.
    """

    prose: str = "The lamp burned low, and nobody spoke."
    change: Mapping[str, Callable[[Answer, Call], Answer | str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, call: Call) -> Script:
        wanted = call.body.get("response_format")
        if wanted is None:
            self.asked.append("")
            return reply(self.prose)(call)
        name, schema = wanted["json_schema"]["name"], wanted["json_schema"]["schema"]
        self.asked.append(name)
        answer = self.change.get(name, as_it_is)(rehearsed(call, schema), call)
        return reply(answer if isinstance(answer, str) else json.dumps(answer))(call)


def rehearsed(call: Call, schema: Mapping[str, Any]) -> Answer:
    messages = [Message(Role(message["role"]), message["content"]) for message in call.body["messages"]]
    answer: Answer = json.loads(RehearsedAnswer(messages, bytes(32)).write(schema))
    return answer
