"""Prompts, their receipts and previews as the API shows them."""

from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import ID, Parent

from domain.chapters import ChapterVersion
from domain.llm.catalogue import ModelInfo
from domain.llm.model import REHEARSAL
from domain.prompting import comparison, receipts
from domain.prompting.mentions import Mention as MentionValue
from domain.reference_files import ReferenceFile as ReferenceFileValue
from domain.spending import CostEstimate as EstimateValue
from resolvers import polishing, prompt_comparisons, prompts
from schema import ids
from schema.enums import Decision, Reason
from schema.fields import Info, argument, attribute, field, optional, required
from schema.node import Node
from schema.reference_files import ReferenceFile
from schema.spending import CostEstimate

# A receipt is one stored document that may tell of thousands of candidates; two of them are compared candidate by candidate;
# and a prompt is built by choosing among all of a project's files and chapters.
WHOLE_RECEIPT = 10
COMPARING = 20
BUILDING = 100


@strawberry.type(description="A candidate for a prompt, and what became of it.")
class PromptItem:
    label: str = attribute("What it is, for people.")
    group: str = attribute("Which part of the prompt it is for, such as `style`, `cast`, `world`, `story so far` or `brief`.")
    decision: Decision = attribute("What became of it.")
    reason: Reason = attribute("Why.")
    evidence: list[str] = attribute('What spoke for it, such as `"the Captain" in the brief`.')
    score: float = attribute("How much it matters to this chapter: 0 to 1.")
    tokens: int = attribute("How long it is as sent; 0 if it was left out.")
    tokens_in_full: int = attribute("How long it would be in full.")

    @field(Node | None, "The reference file or chapter version it came from; null for instructions and for what has been deleted since.")
    @staticmethod
    async def source(parent: Parent[receipts.PromptItem], info: Info) -> Any:
        return await prompts.source_of(info.context, parent)


@strawberry.type(description="Every candidate for a prompt, and what became of it and why.")
class PromptReceipt:
    digest: str = attribute(
        "The SHA-256 of the messages as a JSON array of [role, text] pairs, in ASCII without white space: the same for a preview and the call it predicts."
    )
    model: str = attribute("The model the prompt is for.")
    tokenizer: str = attribute("What the tokens are counted with.")
    tokenizer_exact: bool = attribute("Whether that is the model's own tokenizer; else the counts are estimates.")
    token_budget: int = attribute("How many tokens the prompt may have.")
    tokens_used: int = attribute("How many it has.")
    stable_prefix_tokens: int = attribute(
        "How many of its first tokens are those of the previous prompt for this chapter: providers discount them."
    )
    items: list[PromptItem] = attribute("The candidates.", most=1_000)


@strawberry.type(description="Something that is sent otherwise in one prompt than in another: in only one of them, or longer or shorter.")
class PromptChange:
    label: str = attribute("What it is, for people.")
    group: str = attribute("Which part of the prompt it is for.")
    before: PromptItem | None = attribute("What became of it before; null if it was not a candidate then.")
    after: PromptItem | None = attribute("What has become of it after; null if it is not a candidate any more.")
    tokens: int = attribute("How many tokens more of it are sent; below 0 if fewer are.")
    why: str = attribute(
        'Why, as far as the two receipts tell, such as `new evidence: "the Captain" in the brief`; several causes with semicolons between them.'
    )

    @field(Node | None, "The reference file or chapter version it comes from; null for instructions and for what has been deleted since.")
    @staticmethod
    async def source(parent: Parent[comparison.ReceiptChange], info: Info) -> Any:
        return await prompts.source_of(info.context, parent)


@strawberry.type(
    description=(
        "Two prompts compared by their receipts, candidate by candidate. The order of changes is that of the second prompt, and behind them what is in the first one only; "
        "headings, fences and message overhead count in the sums only."
    )
)
class PromptComparison:
    before: PromptReceipt = attribute("The receipt of the first prompt.")
    after: PromptReceipt = attribute("The receipt of the second prompt.")
    identical: bool = attribute("Whether the two prompts are the same to the byte.")
    tokens: int = attribute("How many tokens more the second prompt has; below 0 if it has fewer.")
    came_in: list[PromptChange] = attribute("What is sent now and was left out, or was not a candidate, before.", most=100)
    went_out: list[PromptChange] = attribute("What was sent before and is left out now, or is not a candidate any more.", most=100)
    longer: list[PromptChange] = attribute("What both send, the second at greater length.", most=100)
    shorter: list[PromptChange] = attribute("What both send, the second at lesser length.", most=100)
    unchanged: int = attribute("How many candidates both send at the same length.")


@strawberry.type(description="A message of a prompt.")
class PromptMessage:
    role: str = attribute("Who speaks: `system`, `user` or `assistant`.")
    text: str = attribute("What is said, verbatim.")
    tokens: int = attribute("How long it is.")


@strawberry.type(description="Exactly what a draft of this chapter would send now, and what it would cost. Free: no model is called.")
class PromptPreview:
    estimate: EstimateValue = strawberry.field(graphql_type=CostEstimate, description="What the draft would probably cost.")

    @field(
        CostEstimate | None,
        "What assessing the draft, and revising it as often as the project allows, may cost on top: `low` if one assessment finds it good "
        "enough, `high` if every revision is made. None of it is held beforehand, and what the limits do not cover is left out. Null where "
        "`maxRevisions` is 0.",
    )
    @staticmethod
    def polishing_estimate(parent: Parent[prompts.Preview], info: Info) -> EstimateValue | None:
        return polishing.polishing_estimate(info.context, parent)

    @field(PromptReceipt, "What could have been in the prompt, and what became of it.")
    @staticmethod
    def receipt(parent: Parent[prompts.Preview]) -> receipts.PromptReceipt:
        return parent.prompt.receipt

    @field(list[PromptMessage], "The prompt.", most=10)
    @staticmethod
    def messages(parent: Parent[prompts.Preview]) -> list[PromptMessage]:
        counted = zip(parent.prompt.messages, parent.prompt.message_tokens, strict=True)
        return [PromptMessage(role=message.role.value, text=message.text, tokens=tokens) for message, tokens in counted]

    @field(
        PromptComparison,
        "How this prompt differs from the one that a version was written from. The version is before, the preview after.",
        weight=COMPARING,
    )
    @staticmethod
    async def compared_to(
        parent: Parent[prompts.Preview],
        info: Info,
        version_id: Annotated[ID, argument("A version that a model wrote, of any chapter of the same project.")],
    ) -> comparison.ReceiptComparison:
        chosen = ids.require(ChapterVersion, version_id, "versionId")
        return await prompt_comparisons.compare_with_version(info.context, parent, chosen)

    @field(
        PromptComparison,
        "What a larger token budget would change, all else being equal: what would come in, grow, or be crowded out by something better.",
        weight=BUILDING,
    )
    @staticmethod
    async def with_more(
        parent: Parent[prompts.Preview],
        info: Info,
        tokens: Annotated[int, argument(f"By how many tokens it would be larger: 1 to {prompt_comparisons.MORE_TOKENS:,}.")] = 1_000,
    ) -> comparison.ReceiptComparison:
        return await prompt_comparisons.compare_with_more(info.context, parent, tokens)


@strawberry.input(description="Which prompt to preview. What is left out is taken from the chapter and its project.")
class PromptPreviewInput:
    chapter_id: ID = required("The chapter. Any member of its project may preview.")
    brief: str | None = optional("A brief to try out instead of the chapter's own: at most 20,000 characters.")
    model: str | None = optional("A model of `models`, or any other the server's endpoint knows; the project's without it.")
    token_budget: int | None = optional("How many tokens the prompt may have: 500 to 1,000,000; the project's without it.")
    include: list[ID] | None = optional("Reference files and chapters that must be in the prompt: at most 100, of the same project.")
    exclude: list[ID] | None = optional("Reference files and chapters that must not be in it: at most 100, of the same project.")


@strawberry.type(description="A place in a text that names a reference file.")
class Mention:
    entry: strawberry.Private[tuple[MentionValue, ReferenceFileValue]]

    @field(ReferenceFile, "The file that is named.")
    def reference_file(self) -> ReferenceFileValue:
        return self.entry[1]

    @field(str, "The name as it stands in the text, without a possessive's ending.")
    def matched(self) -> str:
        return self.entry[0].matched

    @field(int, "Where it begins, in Unicode code points.")
    def start(self) -> int:
        return self.entry[0].start

    @field(int, "Where it ends, in Unicode code points: the first one behind it.")
    def end(self) -> int:
        return self.entry[0].end


@strawberry.type(description="A language model that jobs may use.")
class LanguageModel:
    name: str = attribute("What to call it in `model` arguments and settings.")
    context_window: int = attribute("How many tokens prompt and text may have together; 8192 where nothing is known.")
    is_default: bool = attribute("Whether projects that name no model use it.")

    @field(Decimal | None, "What a million tokens sent cost; null if the price is unknown.")
    @staticmethod
    def prompt_price_per_million(parent: Parent[ModelInfo]) -> Decimal | None:
        return parent.price.prompt_per_million if parent.price else None

    @field(
        Decimal | None,
        "What a million tokens sent cost when the provider has them in its cache; null if it gives no discount or the price is unknown.",
    )
    @staticmethod
    def cached_prompt_price_per_million(parent: Parent[ModelInfo]) -> Decimal | None:
        return parent.price.cached_prompt_per_million if parent.price else None

    @field(Decimal | None, "What a million tokens written cost; null if the price is unknown.")
    @staticmethod
    def completion_price_per_million(parent: Parent[ModelInfo]) -> Decimal | None:
        return parent.price.completion_per_million if parent.price else None

    @field(bool, "Whether it is the built-in stand-in: free, and no language model; its texts are made up.")
    @staticmethod
    def rehearsal(parent: Parent[ModelInfo]) -> bool:
        return parent.name == REHEARSAL
