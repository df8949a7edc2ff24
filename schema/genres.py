"""Genre profiles as the API shows them, and what projects say of their own."""

import strawberry
from strawberry import Parent

from domain.prompting import genres
from schema.enums import Genre, ReferenceKind
from schema.fields import attribute, field, optional, required


@strawberry.type(description="How much a kind of reference file counts.")
class GenreEmphasis:
    kind: ReferenceKind = attribute("The kind.")
    weight: float = attribute("What the score of such a file is multiplied by; 1 is neutral.")
    overridden: bool = attribute("Whether the project has chosen the weight, and not its genre.")


@strawberry.type(
    description="How much of a prompt's optional room a group may take: what is left when the rules, the brief and all else that must be sent is in."
)
class GenreShare:
    group: str = attribute(
        "The group, as `PromptItem.group` names it: `cast`, `world`, `research`, `notes`, `outline`, `style`, "
        "`story so far` (summaries of earlier chapters), `recent text` (the end of the previous chapter) or "
        "`earlier text` (passages found in earlier chapters)."
    )
    floor: float = attribute("The share that is kept for it while it has something to say: 0 to 1.")
    ceiling: float = attribute("The share it may take at most: 0 to 1.")
    overridden: bool = attribute("Whether the project has chosen one of the two, and not its genre.")


@strawberry.type(description="What a genre asks of a prompt; or what a project does, where it has changed something about it.")
class GenreProfile:
    genre: Genre = attribute("The genre.")
    guidance: str = attribute("What the model is told about writing in it; if it is empty, nothing.")
    reason: str = attribute("Why the genre has these weights and shares, for people.")

    @field(list[GenreEmphasis], "How much each kind of reference file counts.", most=6)
    @staticmethod
    def emphasis(parent: Parent[genres.GenreProfile]) -> list[GenreEmphasis]:
        own = {entry.kind for entry in parent.override.emphasis} if parent.override else set()
        return [GenreEmphasis(kind=kind, weight=weight, overridden=kind in own) for kind, weight in parent.emphasis.items()]

    @field(list[GenreShare], "How much room each group may take. The floors sum to 1 at most.", most=9)
    @staticmethod
    def shares(parent: Parent[genres.GenreProfile]) -> list[GenreShare]:
        own = {entry.group for entry in parent.override.shares} if parent.override else set()
        return [
            GenreShare(group=group, floor=share.floor, ceiling=share.ceiling, overridden=group in own)
            for group, share in parent.shares.items()
        ]

    @field(bool, "Whether the project has chosen any of it, and not its genre.")
    @staticmethod
    def overridden(parent: Parent[genres.GenreProfile]) -> bool:
        return parent.override is not None

    @field(bool, "Whether the guidance is the project's own.")
    @staticmethod
    def guidance_overridden(parent: Parent[genres.GenreProfile]) -> bool:
        return parent.override is not None and parent.override.guidance is not None


@strawberry.input(description="The project's own weight of a kind of reference file.")
class GenreEmphasisInput:
    kind: ReferenceKind = required("The kind; each at most once.")
    weight: float | None = optional("0.25 to 4; null or left out: the genre's again.")


@strawberry.input(description="The project's own share of a group. It takes the place of what the project had said of the group.")
class GenreShareInput:
    group: str = required("A group of `GenreProfile.shares`; each at most once.")
    floor: float | None = optional(
        "0 to 1, not above the ceiling; null or left out: the genre's. The floors of all groups can sum to 1 at most."
    )
    ceiling: float | None = optional("0 to 1; null or left out: the genre's.")


@strawberry.input(
    description=(
        "What a project says for itself of its genre's profile. What it leaves out stays as it is; null gives it back to the genre. "
        "It stays when the project gets another genre; where that one's floors and ceilings do not fit it, they yield."
    )
)
class GenreProfileInput:
    emphasis: list[GenreEmphasisInput] | None = optional("Weights of the kinds named; the others stay as they are.")
    shares: list[GenreShareInput] | None = optional("Shares of the groups named; the others stay as they are.")
    guidance: str | None = optional(
        "What the model is told about writing in this genre, instead of the genre's own: at most 5,000 characters. Empty text: nothing."
    )
