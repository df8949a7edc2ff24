"""English words whose forms share no ending: irregular verbs and plurals."""

from collections.abc import Mapping
from types import MappingProxyType

_FORMS = """
    become became | begin began begun | bite bit bitten | blow blew blown | break broke broken | bring brought | build built
    burn burnt | buy bought | catch caught | choose chose chosen | come came | creep crept | deal dealt | dig dug | draw drew drawn
    dream dreamt | drink drank drunk | drive drove driven | dwell dwelt | eat ate eaten | fall fell fallen | feed fed | feel felt
    fight fought | find found | flee fled | fly flew flown | forget forgot forgotten | forgive forgave forgiven | freeze froze frozen
    get got gotten | give gave given | go went gone | grow grew grown | hang hung | hear heard | hide hid hidden | hold held
    keep kept | kneel knelt | know knew known | lay laid | lead led | leap leapt | learn learnt | leave left | lend lent | lie lain
    light lit | lose lost | make made | mean meant | meet met | pay paid | ride rode ridden | ring rang rung | rise rose risen
    run ran | say said | see saw seen | seek sought | sell sold | send sent | sew sewn | shake shook shaken | shine shone
    shoot shot | show shown | shrink shrank shrunk | sing sang sung | sink sank sunk | sit sat | sleep slept | slay slew slain
    slide slid | speak spoke spoken | spend spent | spin spun | spring sprang sprung | stand stood | steal stole stolen | stick stuck
    sting stung | strike struck | swear swore sworn | sweep swept | swim swam swum | swing swung | take took taken | teach taught
    tear tore torn | tell told | think thought | throw threw thrown | tread trod | understand understood | wake woke woken
    wear wore worn | weave wove woven | weep wept | win won | wind wound | write wrote written | man men | woman women
    child children | foot feet | tooth teeth | goose geese | mouse mice | ox oxen | wife wives | life lives | wolf wolves
    knife knives | leaf leaves | thief thieves | loaf loaves | calf calves | half halves | shelf shelves | die dying died
    old older oldest elder eldest
"""
"""The base form first."""

BASE_FORMS: Mapping[str, str] = MappingProxyType(
    {
        form: base
        for line in _FORMS.splitlines()
        for group in line.split("|")
        if group.strip()
        for base, *forms in [group.split()]
        for form in forms
    }
)
