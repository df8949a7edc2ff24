"""What a revision sent, as the receipt of the version that came of it."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from domain.assessing.revising.messages import RevisionCall
from domain.ports import Tokens
from domain.prompting.digest import prompt_digest
from domain.prompting.receipts import Decision, Prompt, PromptItem, PromptReceipt, Reason, Source, SourceKind


def revision_prompt(calls: Sequence[RevisionCall], *, version_id: UUID, model: str, tokens: Tokens) -> Prompt:
    """Of all calls together: the rules, which all of them begin with, once, then what each of them was shown of the version.

    Nothing was weighed against anything: all of it had to be sent, so the budget is what was used. CPU-bound.
    """
    messages = (calls[0].messages[0], *(message for call in calls for message in call.messages[1:]))
    used = tokens.count_messages(messages, model=model)
    tokenizer = tokens.tokenizer(model)
    counted = tuple(tokens.count_messages((message,), model=model) - tokens.count_messages((), model=model) for message in messages)
    return Prompt(
        messages=messages,
        message_tokens=counted,
        receipt=PromptReceipt(
            digest=prompt_digest(messages),
            model=model,
            tokenizer=tokenizer.name,
            tokenizer_exact=tokenizer.exact,
            token_budget=used,
            tokens_used=used,
            stable_prefix_tokens=0,
            items=tuple(_items(calls, counted, used, version_id)),
        ),
    )


def _items(calls: Sequence[RevisionCall], counted: Sequence[int], used: int, version_id: UUID) -> Iterator[PromptItem]:
    yield _item("Rules for revising", "instructions", counted[0])
    at = 1
    for call in calls:
        asked = [edit.name for edit in call.asked.edits] + [insertion.name for insertion in call.asked.insertions]
        label = f"The chapter, and what is to change in it ({', '.join(asked)})" if asked else "The chapter, and what is to change in it"
        sent = sum(counted[at : at + len(call.messages) - 1])
        yield _item(label, "revised text", sent, source=Source(SourceKind.CHAPTER_VERSION, version_id))
        at += len(call.messages) - 1
    yield _item("Message overhead", "scaffolding", used - sum(counted))


def _item(label: str, group: str, tokens: int, *, source: Source | None = None) -> PromptItem:
    return PromptItem(
        source=source,
        label=label,
        group=group,
        decision=Decision.FULL,
        reason=Reason.MANDATORY,
        evidence=(),
        score=1.0,
        tokens=tokens,
        tokens_in_full=tokens,
    )
