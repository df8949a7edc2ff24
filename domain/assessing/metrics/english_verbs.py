"""English verb forms that can be told from other words by their place behind a subject: irregular ones, and the regular ones of stories.

The irregular forms are those of any school grammar; the regular verbs are what people in stories do, chosen by hand.
"""

from collections.abc import Iterator
from typing import Final

_IRREGULAR = """
    arise arose arisen | awake awoke awoken | bear bore borne | beat beat beaten | become became become | begin began begun | bend bent bent
    bite bit bitten | bleed bled bled | blow blew blown | break broke broken | bring brought brought | build built built
    burst burst burst | buy bought bought | catch caught caught | choose chose chosen | cling clung clung | come came come
    creep crept crept | cut cut cut | deal dealt dealt | dig dug dug | draw drew drawn | drink drank drunk | drive drove driven
    eat ate eaten | fall fell fallen | feed fed fed | feel felt felt | fight fought fought | find found found | flee fled fled
    fling flung flung | fly flew flown | forget forgot forgotten | forgive forgave forgiven | freeze froze frozen | get got got
    give gave given | go went gone | grind ground ground | grow grew grown | hang hung hung | hear heard heard | hide hid hidden
    hit hit hit | hold held held | hurt hurt hurt | keep kept kept | kneel knelt knelt | know knew known | lay laid laid | lead led led
    lean leant leant | leap leapt leapt | leave left left | lend lent lent | let let let | lie lay lain | light lit lit | lose lost lost
    make made made | mean meant meant | meet met met | pay paid paid | put put put | read read read | ride rode ridden | ring rang rung
    rise rose risen | run ran run | say said said | see saw seen | seek sought sought | sell sold sold | send sent sent | set set set
    shake shook shaken | shed shed shed | shine shone shone | shoot shot shot | show showed shown | shrink shrank shrunk | shut shut shut
    sing sang sung | sink sank sunk | sit sat sat | sleep slept slept | slide slid slid | speak spoke spoken | spend spent spent
    spin spun spun | spread spread spread | spring sprang sprung | stand stood stood | steal stole stolen | stick stuck stuck
    sting stung stung | stride strode stridden | strike struck struck | strive strove striven | swear swore sworn | sweep swept swept
    swim swam swum | swing swung swung | take took taken | teach taught taught | tear tore torn | tell told told | think thought thought
    throw threw thrown | thrust thrust thrust | tread trod trodden | understand understood understood | wake woke woken
    wear wore worn | weep wept wept | win won won | wind wound wound | withdraw withdrew withdrawn | wring wrung wrung
    write wrote written
"""
_REGULAR = """
    accept add admit agree allow announce answer appear approach argue arrange arrive ask assure attempt beg believe blink blush bow breathe
    brush call carry cease change chuckle claim clasp clear climb close collect complain conclude confess consider continue cough count
    cover cross cry dance decide declare demand deny descend desire die discover doubt drag dread dress drop embrace end enjoy enter
    examine exclaim expect explain express fail fear feign fill finish fix flash flush fold follow frown gasp gather gaze gesture glance
    glare grab grasp greet grin groan guess happen hate help hesitate hope hurry imagine incline inform inquire insist intend interrupt
    join jump kick kill kiss knock land last laugh lift like linger listen live lock look love lower manage mark marry miss mount
    move murmur muse mutter need nod notice observe offer open order pace pass pause perceive persuade pick place play please
    point possess pour prefer prepare press pretend proceed produce promise prove pull push question raise reach realise realize receive
    recognise recognize recollect reflect refuse regain regard regret reject rejoice remain remark remember remove repeat reply request
    require resolve respond rest retire return reveal roll rub rush scream search seem seize seem shiver shout shrug shudder sigh
    slam slip smile smoke sniff sob stammer stare start stay step stop stretch struggle study succeed suffer suggest suppose surprise
    suspect swallow talk tap thank tie touch travel tremble trouble trust try turn urge use utter wait walk want warn wash watch
    wave whisper wish wonder work worry yawn yell yield
"""


def _irregular() -> Iterator[tuple[str, str, str]]:
    for group in _IRREGULAR.replace("\n", "|").split("|"):
        if group.strip():
            base, past, participle = group.split()
            yield base, past, participle


def third_person(base: str) -> str:
    """Of "go", "goes"."""
    if base.endswith(("s", "x", "z", "ch", "sh", "o")):
        return base + "es"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ies"
    return base + "s"


BASES: Final = frozenset(base for base, _, _ in _irregular()) | frozenset(_REGULAR.split())
THIRD_PERSON: Final = frozenset(map(third_person, BASES))
"""What he, she and everybody by name does in the present tense."""

PASTS: Final = frozenset(past for base, past, _ in _irregular() if past != base)
"""Irregular forms that are the past tense and no other finite form."""

OF_EITHER_TENSE: Final = frozenset(past for base, past, _ in _irregular() if past == base)
"""As "I hit": only "he hits" says which."""

SPEAKING: Final = frozenset(
    """
    said says asked asks answered answers replied replies cried cries whispered whispers exclaimed exclaims murmured murmurs muttered
    mutters shouted shouts added adds continued continues returned repeated repeats remarked observed laughed called
    """.split()  # noqa: SIM905
)
"""Verbs that follow speech, or lead it in."""
