"""How many labelled rows it takes until a comparison can show a gain, by the exact test of verdicts.

docs/verdicts.md has the rule, of which this is one question: what a comparison asks besides may take more.
"""

from typing import Any

from processing.dataset.split import TEST_SHARE
from processing.policy import Policy
from processing.verdict.mcnemar import texts_needed

GAINS = (0.01, 0.02, 0.05)
#: Texts that change sides for each one gained, at the least: as docs/verdicts.md has it for the power of the
#: rule, two points gained where 6 % of the texts are discordant. A gain without any loss would flatter.
CHANGED_FOR_ONE_GAINED = 3
_TEXTS = 1_000_000  # shares are given to the test as counts of so many


def needed(changed: float, rows: int, texts: int, policy: Policy) -> list[dict[str, Any]]:
    """For each gain of GAINS the labelled rows that would show it in four of five cases.

    Args:
        changed: share of the test texts on which one of two models alone is right, in [0, 1]; as measured.
        rows: labelled rows now.
        texts: distinct texts among them, at least 1.
        policy: the group's; its level counts.

    Returns:
        Of each gain `gain`, and the `rows`, and how many `more` than now; an estimate to two digits.
    """
    found = []
    for gain in GAINS:
        share = max(changed, CHANGED_FOR_ONE_GAINED * gain)
        better, worse = (round(_TEXTS * (share + sign * gain) / 2) for sign in (1, -1))
        wanted = texts_needed(better, worse, _TEXTS, policy.level)
        assert wanted is not None  # a gain has more better texts than worse ones
        estimate = int(float(f"{wanted * rows / texts / TEST_SHARE:.2g}"))
        found.append({"gain": gain, "rows": estimate, "more": max(estimate - rows, 0)})
    return found
