"""Proving what a receipt says: each piece of evidence is read, and each quotation and claim in it held against the material."""

import re
from collections.abc import Callable, Mapping
from uuid import UUID

from domain.prompting.appearances import appearances
from domain.prompting.index.terms import terms
from domain.prompting.material import ChapterText, PromptMaterial, PromptWish, ReferenceText
from domain.prompting.mentions import NameIndex
from domain.prompting.receipts import Prompt, PromptItem, SourceKind
from domain.prompting.scene import MOST_SHARING
from domain.prompting.untrusted import clean
from domain.reference_files import InclusionPolicy, ReferenceKind

TAIL_CHARACTERS = 4_000
SAME = 0.7
FIRST_PERSON = re.compile(r"\b(?:I|[Mm]y|[Mm]e|[Mm]yself|mine)\b")


def plain(text: str) -> str:
    return " ".join(clean(text).split())


class Proofs:
    """Of the evidence in prompts that were made of this material for this wish."""

    def __init__(self, material: PromptMaterial, wish: PromptWish) -> None:
        self.material, self.wish = material, wish
        self.names = NameIndex([each.file for each in material.references], parts_of_names=True)
        self.asked_names = NameIndex([each.file for each in material.references], parts_of_names=True, most_sharing=MOST_SHARING)
        self.files: Mapping[UUID, ReferenceText] = {each.file.id: each for each in material.references}
        self.open = [each for each in material.references if self._may_be_sent(each)]
        self.earlier = sorted(material.earlier, key=lambda each: each.chapter.position)
        self.told = [each for each in self.earlier if each.chapter.id not in wish.exclude]
        brief = material.chapter.brief if wish.brief is None else wish.brief
        self.request = {"brief": clean(brief), "title": clean(material.chapter.title), "instructions": clean(wish.instructions)}
        self.asked = {term for text in self.request.values() for term in terms(text)}

    def unproven(self, prompt: Prompt) -> list[tuple[str, str]]:
        """Evidence that is not true or of no known form, each with the item's label."""
        return [(one.label, text) for one in prompt.receipt.items for text in one.evidence if not self._is_true(one, text)]

    def _is_true(self, item: PromptItem, evidence: str) -> bool:
        for form, proves in self._forms().items():
            if match := re.fullmatch(form, evidence, re.DOTALL):
                return proves(item, *match.groups())
        return False

    def _forms(self) -> Mapping[str, Callable[..., bool]]:
        return {
            r'"(.+)" is the point-of-view character': self._tells,
            r'"(.+)" in the (brief|title|instructions)': self._in_request,
            r'"(.+)" in the previous chapter\'s end': self._in_tail,
            r'"(.+)" in the (summary|brief) of chapter (\d+)': self._in_summary,
            r'"(.+)" in passage (\d+) of chapter (\d+)': self._in_passage,
            r'"(.+)" (\d+) times in chapter (\d+)': self._last_seen,
            r'"(.+)" in chapter (\d+)': lambda item, name, position: self._last_seen(item, name, "1", position),
            r'"(.+)" in “(.+)”': self._in_file,
            r"together with “(.+)” in (chapters? [\d, and]+)": self._together,
            r"named in passage (\d+) of chapter (\d+), which is about the like": self._about_the_like,
            r"the narration says “I”, and this one is called by name but hardly ever told of": self._narrates,
            r"chapters of this book need (\d+)% of its characters": self._usual,
            r"says the same as (.+)": self._says_the_same,
            r"the same text as “(.+)”": self._same_text,
            r"the previous chapter": lambda item: self._distance(item) == 1,
            r"(\d+) chapters back": lambda item, number: self._distance(item) == int(number) > 1,
            r"asked for by the request": lambda item: self._source(item) in self.wish.include,
            r"it was asked for, but this outweighs it": lambda item: self._source(item) in self.wish.include,
            r"excluded by the request": lambda item: self._source(item) in self.wish.exclude,
            r"its inclusion policy is (always|never)": lambda item, word: self._file(item).file.inclusion is InclusionPolicy(word.upper()),
            r"known from chapter (\d+)": lambda item, number: self._known(item, int(number), None),
            r"known until chapter (\d+)": lambda item, number: self._known(item, None, int(number)),
            r"known from chapter (\d+) until chapter (\d+)": lambda item, number, last: self._known(item, int(number), int(last)),
            r"a style guide bears on every chapter": lambda item: self._file(item).file.kind is ReferenceKind.STYLE,
            r"an outline bears on every chapter": lambda item: self._file(item).file.kind is ReferenceKind.OUTLINE,
            r"the premise bears on every chapter": lambda item: item.label == "Premise" and bool(self.material.project.premise.strip()),
            r"the file has no text": lambda item: not self._file(item).content.text,
            r"it has no text": lambda item: not self._chapter_of(item).content.text,
            r"it has neither a summary nor a brief": lambda item: not self._summary(self._chapter_of(item)),
        }

    def _may_be_sent(self, each: ReferenceText) -> bool:
        file = each.file
        known = file.inclusion is not InclusionPolicy.NEVER and file.visible_at(self.material.chapter.position)
        return known and file.id not in self.wish.exclude and bool(each.content.text)

    def _file(self, item: PromptItem) -> ReferenceText:
        return self.files[item.source.id]

    def _chapter_of(self, item: PromptItem) -> ChapterText:
        return next(each for each in self.earlier if each.version_id == item.source.id)

    def _at(self, position: str) -> ChapterText:
        """Only of chapters that may be told."""
        return next(each for each in self.told if each.chapter.position == int(position))

    def _source(self, item: PromptItem) -> UUID:
        return item.source.id if item.source.kind is SourceKind.REFERENCE_FILE else self._chapter_of(item).chapter.id

    def _distance(self, item: PromptItem) -> int:
        return self.told[::-1].index(self._chapter_of(item)) + 1

    def _named(self, text: str) -> Mapping[UUID, list[tuple[str, float]]]:
        """By file: how it is named there, each time with the part that counts for it. In a request, a family name means any of them."""
        found: dict[UUID, list[tuple[str, float]]] = {}
        for match in (self.asked_names if text in self.request.values() else self.names).find(text):
            for file_id in match.file_ids:
                found.setdefault(file_id, []).append((" ".join(match.matched.split()), 1 / len(match.file_ids)))
        return found

    def _names(self, item: PromptItem, name: str, text: str) -> bool:
        return name in {spelled for spelled, _ in self._named(text).get(item.source.id, ())}

    def _tells(self, item: PromptItem, name: str) -> bool:
        return self._names(item, name, plain(self.material.chapter.point_of_view_character or ""))

    def _in_request(self, item: PromptItem, quotation: str, where: str) -> bool:
        if item.source.kind is SourceKind.REFERENCE_FILE:
            return self._names(item, quotation, self.request[where])
        return quotation in self.request[where] or quotation in plain(self.request[where])

    def _in_tail(self, item: PromptItem, name: str) -> bool:
        return self._names(item, name, self.told[-1].content.text[-TAIL_CHARACTERS:])

    @staticmethod
    def _summary(each: ChapterText) -> str:
        return clean(each.chapter.summary or each.chapter.brief).strip()

    def _in_summary(self, item: PromptItem, name: str, kind: str, position: str) -> bool:
        each = self._at(position)
        both = {file_id for text in self.request.values() for file_id in self._named(text)} & self._named(self._summary(each)).keys()
        spelled = {spelling for file_id in both for spelling, _ in self._named(self._summary(each))[file_id]}
        return each is self._chapter_of(item) and name in spelled and kind == ("summary" if each.chapter.summary else "brief")

    def _passage(self, number: str, position: str) -> str:
        content = self._at(position).content
        start, end = content.index.spans[int(number) - 1]
        return content.text[start:end]

    def _in_passage(self, item: PromptItem, quotation: str, number: str, position: str) -> bool:
        right_one = self._chapter_of(item) is self._at(position) and item.label.endswith(f"(passage {number})")
        asked = " ".join(plain(text) for text in self.request.values()).lower()
        about_it = set(terms(quotation)) <= self.asked or quotation.lower() in asked
        return right_one and quotation in self._passage(number, position) and about_it

    def _last_seen(self, item: PromptItem, name: str, times: str, position: str) -> bool:
        """The name that stands there first, how often the file is named there by any, and that it is named in no later one."""
        if not (named := self._named(self._at(position).content.text).get(item.source.id)):
            return False
        later = [self._named(each.content.text).get(item.source.id, ()) for each in self.told if each.chapter.position > int(position)]
        counted = max(1, round(sum(share for _, share in named)))
        return named[0][0] == name and counted == int(times) and all(sum(share for _, share in each) < 0.34 for each in later)

    def _in_file(self, item: PromptItem, quoted: str, title: str) -> bool:
        own = self._file(item)
        titled = [each for each in self.open if plain(each.file.name) == title]
        linked = [each for each in titled if each is not own and self._names(item, quoted, each.content.text)]
        words = quoted.split('", "')
        shared = own in titled and all(word in own.content.text and self.asked & set(terms(word)) for word in words)
        return shared or any(self._stands_in_for(each) for each in linked)

    def _stands_in_for(self, linking: ReferenceText) -> bool:
        """Whether it is the sheet of somebody the request names, or who tells the chapter, or was in the last one."""
        last = self.told[-1].content.text if self.told else ""
        heard = (*self.request.values(), plain(self.material.chapter.point_of_view_character or ""), last)
        return any(linking.file.id in self._named(text) for text in heard)

    def _together(self, item: PromptItem, title: str, chapters: str) -> bool:
        companions = [each.file.id for each in self.open if plain(each.file.name) == title and each.file.id != item.source.id]
        texts = [self._named(self._at(position).content.text) for position in re.findall(r"\d+", chapters)]
        return any(all(companion in named and item.source.id in named for named in texts) for companion in companions)

    def _about_the_like(self, item: PromptItem, number: str, position: str) -> bool:
        passage = self._passage(number, position)
        return item.source.id in self._named(passage) and bool(self.asked & set(terms(passage)))

    def _narrates(self, item: PromptItem) -> bool:
        seen = [appearances(each.content, self.names) for each in self.told]
        named = sum(each.named.get(item.source.id, 0.0) for each in seen)
        in_speech = sum(passage.in_speech.get(item.source.id, 0.0) for each in seen for passage in each.passages)
        says_i = any(FIRST_PERSON.search(each.content.text) for each in self.told[-3:])
        return says_i and in_speech > named / 2

    def _usual(self, item: PromptItem, percent: str) -> bool:
        characters = {each.file.id for each in self.open if each.file.kind is ReferenceKind.CHARACTER}
        recent = [self._named(each.content.text) for each in self.told[-5:]]
        present = sum(sum(share for _, share in named.get(file_id, ())) >= 0.34 for named in recent for file_id in characters)
        expected = (present + 0.3 * len(characters)) / (len(characters) * (len(recent) + 1))
        return item.source.id in characters and f"{expected:.0%}" == f"{percent}%"

    def _says_the_same(self, item: PromptItem, label: str) -> bool:
        own = self._terms_of(item.label, item.source.id)
        return any(len(own & other) > SAME * len(own | other) for each in self.told if (other := self._terms_of(label, each.version_id)))

    def _terms_of(self, label: str, version: UUID) -> set[str]:
        """Of the passage that a label names, if this version is of the chapter that it names."""
        position, number = re.fullmatch(r"Chapter (\d+).*\(passage (\d+)\)", label, re.DOTALL).groups()
        each = self._at(position)
        return set(terms(self._passage(number, position))) if each.version_id == version else set()

    def _same_text(self, item: PromptItem, title: str) -> bool:
        own = self._file(item)
        return any(each is not own and each.content.text == own.content.text for each in self.open if plain(each.file.name) == title)

    def _known(self, item: PromptItem, first: int | None, last: int | None) -> bool:
        file = self._file(item).file
        return (file.valid_from_chapter, file.valid_until_chapter) == (first, last) and not file.visible_at(self.material.chapter.position)
