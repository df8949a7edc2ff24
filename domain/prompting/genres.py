"""What a genre asks of a prompt: which kinds of reference files matter more, and what to tell the writer."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.projects import Genre
from domain.reference_files import ReferenceKind


@dataclass(frozen=True, slots=True)
class GenreProfile:
    """`emphasis` multiplies the score of a reference file by its kind: 1 is neutral, and every kind is listed."""

    genre: Genre
    emphasis: Mapping[ReferenceKind, float]
    guidance: str


def _emphasis(*, character: float, world: float, style: float, outline: float, research: float) -> Mapping[ReferenceKind, float]:
    return MappingProxyType(
        {
            ReferenceKind.CHARACTER: character,
            ReferenceKind.WORLD: world,
            ReferenceKind.STYLE: style,
            ReferenceKind.OUTLINE: outline,
            ReferenceKind.RESEARCH: research,
            ReferenceKind.OTHER: 1.0,  # the author has said nothing about it, so neither does the genre
        }
    )


def genre_profile(genre: Genre) -> GenreProfile:
    return _PROFILES[genre]


_PROFILES: Mapping[Genre, GenreProfile] = MappingProxyType(
    {
        profile.genre: profile
        for profile in (
            GenreProfile(
                Genre.FANTASY,
                # The reader has no other source for the world's rules, and one broken rule costs the book its stakes.
                _emphasis(character=1.0, world=1.25, style=1.0, outline=1.0, research=0.8),
                "Let the invented world show through what people do in it: a price haggled over, a shrine walked around, a word nobody says "
                "indoors. Magic has a cost and a limit; whoever uses it pays on the page. Explain a custom or a term only where a character "
                "would be forced to think about it, and never twice. Keep names, titles, distances and oaths exactly as the reference gives "
                "them, and let a wonder be seen by someone who wants something from it.",
            ),
            GenreProfile(
                Genre.SCIENCE_FICTION,
                # Technology is both world and research: what it can and cannot do decides what may happen.
                _emphasis(character=1.0, world=1.2, style=1.0, outline=1.0, research=1.1),
                "Every device, law and environment has consequences: follow them one step further than the scene needs. Show technology by "
                "its friction, its maintenance, its price and who is shut out of it. Numbers, delays and limits stay consistent with the "
                "reference; solve no problem with a capability the story has not yet shown. Let characters talk about their world as people "
                "talk about plumbing, and keep the human question under the speculative one in sight.",
            ),
            GenreProfile(
                Genre.MYSTERY,
                # Fair play rests on the plan of clues, and on who was where and knew what.
                _emphasis(character=1.1, world=0.9, style=0.9, outline=1.25, research=1.1),
                "Play fair: whatever the solution rests on is on the page, in plain sight, at a moment when something else holds the "
                "attention. Know for each person in the scene what they know, what they hide and from whom; let lies be consistent and small. "
                "Times, doors, hands and objects are exact. End a line of questioning with an answer that opens a better question. Reveal "
                "nothing that the brief does not ask for, and never let the narrator lie.",
            ),
            GenreProfile(
                Genre.THRILLER,
                # Pressure comes from plan and pursuer; setting counts only as far as it blocks or opens a way.
                _emphasis(character=1.05, world=0.85, style=1.0, outline=1.15, research=1.05),
                "Someone wants something now and something stands in the way: keep both visible in every scene. Put a clock, a distance or a "
                "shrinking choice on the page and update it. Enter late, leave while the outcome is still open. Shorten sentences when "
                "bodies move, lengthen them when danger is only thought of. Give procedures and places their real detail, briefly. "
                "A reversal must follow from what an adversary would sensibly do with what they know.",
            ),
            GenreProfile(
                Genre.ROMANCE,
                # What two people are to each other is the plot.
                _emphasis(character=1.3, world=0.8, style=1.05, outline=1.0, research=0.7),
                "The relationship is the plot: by the end of the chapter something between the two has shifted, and both have paid for it. "
                "Let attraction live in attention, in what this one notices about that one and nobody else would. Obstacles come from who "
                "they are and what they need, not from a question nobody asked. Dialogue does two things at once. Consent and desire are "
                "legible; heat stays at the level that the brief and the earlier chapters have set.",
            ),
            GenreProfile(
                Genre.HORROR,
                # Dread needs a place the reader knows better than they would like, and rules the threat keeps.
                _emphasis(character=1.05, world=1.15, style=1.15, outline=1.0, research=0.8),
                "Make the ordinary exact before it goes wrong, so that the reader notices first. One detail off is worse than ten. Keep the "
                "threat's rules from the reference, and show effects before causes. Hold the camera on the person who has a reason to stay. "
                "Let silence, waiting and wrong conclusions do the work; describe violence sparingly, precisely and with its aftermath. "
                "Comfort offered in a scene is there to be taken away, by a step the reader can follow.",
            ),
            GenreProfile(
                Genre.HISTORICAL,
                # Anachronism is the genre's characteristic error, and research is what prevents it.
                _emphasis(character=1.0, world=1.1, style=1.0, outline=0.95, research=1.3),
                "The past is lived forwards: nobody knows how it turns out, and nobody thinks of their own time as quaint. Choose details "
                "that cost, smell or weigh something. Speech avoids both modern idiom and mock-antique; a period's rhythm is enough. What a "
                "person could own, know, say aloud or be punished for follows the research; where that is silent, stay general rather than "
                "invent a datable fact. Public events reach the scene through what they change at the table.",
            ),
            GenreProfile(
                Genre.LITERARY,
                # Voice is the promise made to the reader; places and facts serve it.
                _emphasis(character=1.15, world=0.9, style=1.3, outline=0.9, research=0.85),
                "Trust the concrete: an image earns its place by being seen, not by being explained. Let the sentence's movement follow the "
                "mind it renders, and vary its length on purpose. Leave the central feeling unnamed and put it into an object, a gesture, a "
                "thing not said. Scenes may turn on a perception rather than an event, but something must turn. Cut the line that tells the "
                "reader what the scene meant, above all when it is the last one.",
            ),
            GenreProfile(
                Genre.YOUNG_ADULT,
                # A close, consistent voice and the web of loyalties carry it.
                _emphasis(character=1.25, world=1.0, style=1.1, outline=1.0, research=0.75),
                "Stay inside the protagonist's first-time view: choices are theirs, made with what they know now, and adults do not solve "
                "them. Emotions are large and specific, jokes and shame arrive together, friendships matter as much as love. Keep scenes "
                "moving and paragraphs short without talking down. Slang is sparing and drawn from the reference, so it does not date. "
                "Dark matters are met honestly, with their consequences, and with a way to go on.",
            ),
            GenreProfile(
                Genre.CHILDREN,
                # A young reader holds few people in mind, so they must be unmistakable; the sound of the telling is half the book.
                _emphasis(character=1.2, world=1.0, style=1.25, outline=1.0, research=0.6),
                "Write to be read aloud: clear sentences with a beat, verbs that move, a refrain where it delights. The child acts and "
                "decides; the problem is child-sized and entirely serious. Stay with the vocabulary and the length of sentence that the "
                "audience's age suggests, and let a new word be understood from the page. Humour comes from logic followed too far. "
                "What is frightening is brief, looked at and overcome. No moral is spoken that the story has already shown.",
            ),
            GenreProfile(
                Genre.MEMOIR,
                # Facts about real people must come from the author's material; the rest is voice.
                _emphasis(character=1.15, world=0.9, style=1.2, outline=0.9, research=1.15),
                "Two people speak: the one it happened to and the one who understands it now; keep their knowledge apart and let them "
                "answer each other. Take facts, names, dates and quoted words only from the material given, and mark memory's doubt as doubt "
                "instead of filling it. Build scenes from the senses and reflect afterwards, briefly. Be harder on the narrator than on "
                "anyone else. Find the moment small enough to be true, and stop before the lesson.",
            ),
            GenreProfile(
                Genre.NON_FICTION,
                # Every claim needs its source in the prompt, and the argument's order is the outline.
                _emphasis(character=0.8, world=0.85, style=1.0, outline=1.2, research=1.35),
                "Lead the reader along one argument: say early what the chapter will settle, and settle it. Every claim of fact comes from "
                "the material; what is uncertain is called so, and nothing is cited that was not given. Begin a hard idea with a case, define "
                "a term once and keep to it, use an example until it breaks. Prefer the exact verb and the smallest sufficient number. "
                "Headings only if the brief asks for them; end sections on what follows from them.",
            ),
            GenreProfile(
                Genre.OTHER,
                # Nothing is known, so nothing is preferred.
                _emphasis(character=1.0, world=1.0, style=1.0, outline=1.0, research=1.0),
                "Take form, register and pace from the earlier chapters and the style notes, and keep them. Each scene has someone who wants "
                "something, an obstacle, and a difference between its first and last line. Prefer the specific detail over the general, "
                "action over its summary, and speech that sounds like this speaker and no other.",
            ),
        )
    }
)
