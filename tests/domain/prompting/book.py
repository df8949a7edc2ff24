"""A small novel in progress to build prompts for: its project, its people and places, its chapters so far."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from domain.chapters import Chapter, ChapterStatus
from domain.projects import GenerationSettings, Genre, PointOfView, Project, Tense
from domain.prompting.index.text_index import indexed
from domain.prompting.material import ChapterText, PromptMaterial, PromptWish, ReferenceText
from domain.reference_files import InclusionPolicy, ReferenceFile, ReferenceKind

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MODEL = "gpt-4o"


def project(**changes):
    return replace(
        Project(
            id=UUID(int=1),
            title="The Salt Road",
            premise="A pilot who can no longer read the sea must bring her brother's murderer alive across the shoals.",
            genre=Genre.HISTORICAL,
            language="en-GB",
            audience="adults",
            point_of_view=PointOfView.THIRD_LIMITED,
            tense=Tense.PAST,
            style_notes="Short declarative sentences. No similes with animals.",
            target_word_count=None,
            settings=GenerationSettings(),
            budget_limit=None,
            archived_at=None,
            created_at=NOW,
            updated_at=NOW,
        ),
        **changes,
    )


def chapter(position, **changes):
    return replace(
        Chapter(
            id=UUID(int=1000 + position),
            project_id=UUID(int=1),
            position=position,
            title=f"Chapter {position}",
            brief="",
            point_of_view_character=None,
            target_word_count=None,
            status=ChapterStatus.DRAFTED,
            summary=None,
            current_version_id=UUID(int=2000 + position),
            stale_since=None,
            created_at=NOW,
            updated_at=NOW,
        ),
        **changes,
    )


def file(number, name, **changes):
    return replace(
        ReferenceFile(
            id=UUID(int=number),
            project_id=UUID(int=1),
            name=name,
            kind=ReferenceKind.CHARACTER,
            aliases=(),
            inclusion=InclusionPolicy.WHEN_RELEVANT,
            valid_from_chapter=None,
            valid_until_chapter=None,
            media_type="text/markdown",
            size_bytes=0,
            token_count=0,
            sha256="",
            created_at=NOW,
            updated_at=NOW,
        ),
        **changes,
    )


def reference(number, name, content, **changes):
    return ReferenceText(
        file=file(
            number,
            name,
            **{
                "size_bytes": len(content),
                "token_count": len(content) // 4,
                "sha256": sha256(content.encode("utf-8", "surrogatepass")).hexdigest(),
            }
            | changes,
        ),
        content=indexed(content),
    )


def written(position, text, **changes):
    return ChapterText(chapter=chapter(position, **changes), version_id=UUID(int=2000 + position), content=indexed(text))


MARA = """Pilot of the shoals, thirty-four, left-handed. She reads water by its colour and hides that the colours have begun to go.

## Habits
Counts under her breath before she gives an order. Never sits with her back to a window. Keeps her dead brother's knife and does not use it.

## People
She owes Tobias Reck four winters of bread, and he has never mentioned it. Of Joren Hale she says that he is a careful man, which from her
is an insult. Her brother Anselm taught her the bar at Gullhaven.

## Speech
Short sentences. She answers a question with the state of the tide. She swears only by harbours she has seen, and she has seen eleven. To
strangers she speaks as if they were on fire and had not noticed: quickly, kindly, without hope. To friends hardly at all.

## Past
Born on the lee side of Gullhaven in the year of the long ice. Apprenticed at nine, first passage alone at thirteen, master's mark at twenty.
She lost the brig Constance on a clear night in calm water, and the inquiry found nothing, because there was nothing that others could find."""

TOBIAS = "Baker at Gullhaven, a widower, sixty. He lent Mara Venn flour and silence. He limps when he lies."
JOREN = "The harbour master's clerk. He killed Anselm over a ledger, and he is seasick within sight of land."
GULLHAVEN = (
    "A harbour town behind a bar of moving sand. The channel shifts every spring tide; the church bell rings for fog and for drowned men."
)
INN = "The Lantern: an inn of four rooms above the chandler's. Its back stairs lead to the slip."
ICE = "Ice closed the Baltic ports in most winters of the 1690s. Pilots were then paid by the day and not by the passage."
ENDING = "Reserved for chapter nine: Tobias Reck confesses that he held the lamp."
STYLE = "Dialogue without adverbs. Weather only where somebody has to act on it. A chapter ends on an action, never on a thought."

CHAPTER_1 = "\n\n".join(
    f"The {day} morning the fog came in over the bar and Mara Venn counted the bell. She said nothing to the men. They waited for her to say it."
    for day in ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
)
CHAPTER_2 = "\n\n".join(
    (
        *(f"Joren Hale wrote the {number} line in the ledger and blotted it. The ink was poor." for number in range(1, 40)),
        "“You will take me over,” said Joren. It was not a question.",
        "Outside the Lantern the slip was wet. She went down first, and did not offer her hand.",
    )
)


def salt_road(**changes):
    """The material of chapter three."""
    return replace(
        PromptMaterial(
            project=project(),
            chapter=chapter(
                3,
                title="The Bar",
                brief="Mara takes Joren out over the bar at dusk. Tobias’s lamp is not where it should be.",
                point_of_view_character="Mara",
                target_word_count=1_800,
            ),
            references=(
                reference(11, "Mara Venn", MARA, aliases=("the pilot",)),
                reference(12, "Tobias Reck", TOBIAS),
                reference(13, "Joren Hale", JOREN, aliases=("the clerk",)),
                reference(14, "Gullhaven", GULLHAVEN, kind=ReferenceKind.WORLD),
                reference(15, "The Lantern", INN, kind=ReferenceKind.WORLD, aliases=("Lantern",)),
                reference(16, "Winters of the 1690s", ICE, kind=ReferenceKind.RESEARCH),
                reference(17, "The lamp", ENDING, kind=ReferenceKind.OUTLINE, valid_from_chapter=9),
                reference(18, "House style", STYLE, kind=ReferenceKind.STYLE, inclusion=InclusionPolicy.ALWAYS),
                reference(19, "Discarded ending", "Mara drowns.", kind=ReferenceKind.OUTLINE, inclusion=InclusionPolicy.NEVER),
                reference(20, "The bell", "  \n", kind=ReferenceKind.WORLD),
                reference(21, "Gullhaven (copy)", GULLHAVEN + "\n", kind=ReferenceKind.WORLD),
            ),
            earlier=(
                written(
                    1,
                    CHAPTER_1,
                    title="Fog",
                    summary="For eight days Mara Venn waits out the fog at Gullhaven and hides that she is going blind.",
                ),
                written(2, CHAPTER_2, title="The Ledger", brief="Joren forces Mara to pilot him out."),
            ),
        ),
        **changes,
    )


def wish(token_budget=8_000, **changes):
    return replace(PromptWish(model=MODEL, token_budget=token_budget), **changes)
