"""The ledger's sort keys, the attribute `entry`: one form for each kind of item.

Fields in braces are filled by `str.format`, or with paths in a state machine's source (`text` in
pipelines/machines/states.py). What each item holds: docs/contracts.md. The items are read in reading.py, and
written by the state machines and changing.py. Lambda functions carry this module: it imports no other one of
this project.
"""

import re

GROUP = "GROUP"
TRAINED = "TRAINED"
TRAINING = "TRAINING#{digest}"
WINNER = "WINNER"
# In the plural: what all entries of a kind begin with.
MODELS = "MODEL#"
MODEL = MODELS + "{model}"
PREDICTIONS = "PREDICTIONS#{test_set}#{model}"
MONTHS = "MONTH#"
MONTH = MONTHS + "{period}"
LABELS = "LABELS#{period}#{run}"
DECISIONS = "DECISION#"
DECISION = DECISIONS + "{time}#{run}"
APPROVAL = "APPROVAL#{run}"
SAMPLE = "SAMPLE#{sample}"
#: An approval that nobody answers within this many days means no.
APPROVAL_DAYS = 7
NO_ITEMS = "NOITEMS#{purpose}#{period}"
NOTICES = "NOTICE#"
NOTICE = NOTICES + "{run}#{state}"
DISMISSED = "DISMISSED#{name}"
STATUS = "STATUS#{time}"

_FORMS = {
    form.partition("#")[0]: form
    for form in (
        GROUP,
        TRAINED,
        TRAINING,
        WINNER,
        MODEL,
        PREDICTIONS,
        MONTH,
        LABELS,
        DECISION,
        APPROVAL,
        SAMPLE,
        NO_ITEMS,
        NOTICE,
        DISMISSED,
        STATUS,
    )
}


def parse(entry: str) -> tuple[str, dict[str, str]]:
    """The form of an entry, and the values of its fields: `MODEL#m` is of the form MODEL, with `model` m.

    An entry of no known kind is its own form.
    """
    kind, *values = entry.split("#")
    form = _FORMS.get(kind, entry)
    return form, dict(zip(re.findall(r"{(\w+)}", form), values, strict=False))
