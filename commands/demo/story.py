"""The demo's story: a book is there, a chapter is added, and its writing is watched, left, taken up again, cancelled and finished."""

from commands.demo import documents
from commands.demo.client import ApiError, Client, Data
from commands.demo.sample import Sample
from commands.demo.screen import ChapterView, Screen

EVENTS_BEFORE_LEAVING = 12
CHARACTERS_BEFORE_CANCEL = 400


async def tell(client: Client, sample: Sample, screen: Screen) -> None:
    """Raises ApiError when the server refuses anything, or does not keep a promise the story is about."""
    project_id = await _put_book(client, sample, screen)
    chapter = (await client.change(documents.CREATE_CHAPTER, projectId=project_id, **sample.next_chapter))["chapter"]
    screen.step(f"A new chapter, number {chapter['position']}: “{sample.next_chapter['title']}”")
    screen.say(sample.next_chapter["brief"])
    await _preview(client, chapter["id"], screen)
    await _cancel_one(client, chapter["id"], screen)
    await _finish_one(client, chapter["id"], screen)
    await _read(client, chapter["id"], screen)


async def _put_book(client: Client, sample: Sample, screen: Screen) -> str:
    screen.step(f"The book: “{sample.project['title']}”")
    # Whatever model is there is to be shown, also one on your own machine, which nobody has a price for.
    book = {**sample.project, "settings": {"allowUnpricedModels": True}}
    project_id = str((await client.change(documents.CREATE_PROJECT, **book))["project"]["id"])
    for reference in sample.references:
        await client.change(documents.CREATE_REFERENCE_FILE, projectId=project_id, **reference)
    for chapter in sample.chapters:
        await client.change(documents.CREATE_CHAPTER, projectId=project_id, **chapter)
    screen.say(f"{len(sample.chapters)} chapters and {len(sample.references)} reference files are in {project_id}.")
    return project_id


async def _preview(client: Client, chapter_id: str, screen: Screen) -> None:
    preview = (await client.ask(documents.PREVIEW, input={"chapterId": chapter_id}))["promptPreview"]
    receipt, estimate = preview["receipt"], preview["estimate"]
    screen.step("What the model would be told, and what it would cost (nothing is spent yet)")
    screen.say(f"{receipt['tokensUsed']:,} of {receipt['tokenBudget']:,} tokens; {_price(estimate)}")
    for item in receipt["items"]:
        if item["evidence"]:
            screen.say(f"{item['decision']:<9} {item['label']}: {item['reason'].lower().replace('_', ' ')}, {item['evidence'][0]}")


async def _cancel_one(client: Client, chapter_id: str, screen: Screen) -> None:
    job = (await client.change(documents.START, chapterId=chapter_id))["job"]
    screen.step("Writing begins, and the author thinks better of it")
    with screen.chapter() as view:
        async with client.follow(documents.EVENTS, jobId=job["id"]) as events:
            asked = False
            async for event in events:
                view.show(event["jobEvents"])
                if not asked and len(view.text) >= CHARACTERS_BEFORE_CANCEL:
                    asked = True
                    await client.change(documents.CANCEL, jobId=job["id"])
    ended = (await client.ask(documents.JOB, id=job["id"]))["job"]
    kept = ended["result"]
    screen.say(
        f"{ended['status'].lower()}; "
        + (f"{kept['wordCount']} words are kept as a {kept['origin']} version." if kept else "nothing had been written.")
    )


async def _finish_one(client: Client, chapter_id: str, screen: Screen) -> None:
    job = (await client.change(documents.START, chapterId=chapter_id, instructions="Begin in the middle of the scene."))["job"]
    screen.step("Writing begins again" + (" (a rehearsal: no language model is called)" if job["rehearsal"] else ""))
    with screen.chapter() as view:
        await _watch(client, job["id"], view, events_at_most=EVENTS_BEFORE_LEAVING)
        left_at = view.sequences[-1]
        await _watch(client, job["id"], view)
    whole = (await client.ask(documents.JOB, id=job["id"]))["job"]["text"]
    if view.sequences != list(range(1, len(view.sequences) + 1)) or view.text != whole:
        raise ApiError("The log had a gap, or its text is not the job's.")
    screen.say(f"Left the socket after event {left_at}, came back with its cursor: {len(view.sequences)} events, none missed, none twice.")


async def _watch(client: Client, job_id: str, view: ChapterView, *, events_at_most: int | None = None) -> None:
    seen = 0
    async with client.follow(documents.EVENTS, jobId=job_id, after=view.cursor) as events:
        async for event in events:
            view.show(event["jobEvents"])
            seen += 1
            if seen == events_at_most:
                return


async def _read(client: Client, chapter_id: str, screen: Screen) -> None:
    chapter = (await client.ask(documents.CHAPTER, id=chapter_id))["chapter"]
    version, job = chapter["currentVersion"], chapter["currentVersion"]["job"]
    usage = job["usage"]
    screen.step(f"“{chapter['title']}”, version {version['number']}")
    screen.say(f"{version['wordCount']:,} words, {version['tokenCount']:,} tokens{', a rehearsal' if version['rehearsal'] else ''}")
    screen.say(f"{usage['calls']} calls: {usage['promptTokens']:,} tokens in, {usage['completionTokens']:,} out, ${usage['cost']}")
    sent = [item for item in version["receipt"]["items"] if item["decision"] != "LEFT_OUT"]
    screen.say(
        f"Its receipt {version['receipt']['digest'][:12]}… names {len(version['receipt']['items'])} candidates, {len(sent)} of them sent."
    )
    screen.say(
        "Versions: " + ", ".join(f"{each['number']} {each['origin']} ({each['wordCount']} words)" for each in chapter["versions"]["nodes"])
    )
    _say_what_was_found(version["assessment"], screen)
    if job["remark"]:
        screen.say(job["remark"])
    screen.console.print()


def _say_what_was_found(assessment: Data, screen: Screen) -> None:
    """The first finding stands for all of them."""
    judge = f"judged by {assessment['judge']}" if assessment["judge"] else "measured"
    interval = f" ({assessment['scoreLow']:.0f} to {assessment['scoreHigh']:.0f})" if assessment["judge"] else ""
    findings = assessment["findings"]
    screen.say(f"Score {assessment['score']:.0f}{interval}, {judge}; {len(assessment['metrics'])} metrics, {len(findings)} findings.")
    if findings:
        screen.say(f"{findings[0]['severity']}: {findings[0]['message']} “{findings[0]['quote']}”")


def _price(estimate: Data) -> str:
    return (
        f"{estimate['model']}: ${estimate['low']} to ${estimate['high']}" if estimate["priced"] else f"{estimate['model']}: no known price"
    )
