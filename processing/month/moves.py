"""A month's figures against those before: last month, the first month of the same model, the last twelve.

The figures are those of history.py, the measures of drift.py, what is told of it in attention.py.
"""

from dataclasses import asdict
from typing import Any

import numpy as np

from processing.month import attention, drift

Figures = dict[str, Any]


def since(known: list[Figures], own: Figures) -> dict[str, Any]:
    """What moved (`drift` in docs/outputs.md): two mixes, and shares.

    A model's confidence is compared with its own in other months, not with another model's.

    Args:
        known: the months before, at least one, the oldest first.
        own: the month that is published.
    """
    last, of_model = known[-1], [month for month in known if month["model"] == own["model"]]
    months = [last] if of_model[:1] in ([], [last]) else [last, of_model[0]]
    mixes = [_mix(own, month, "codes", _codes_threshold(month is last)) for month in months]
    sure = [_mix(own, month, "confidence", attention.CONFIDENCE) for month in months if month in of_model]
    return {
        "label_mix": [found for found in mixes if found],
        "confidence": [found for found in sure if found],
        **{name: _rise(known, own, name) for name in attention.RISES},
    }


def _codes_threshold(is_last: bool) -> float:
    return attention.LABEL_MIX if is_last else attention.LABEL_MIX_SINCE


def _mix(own: Figures, other: Figures, name: str, threshold: float) -> dict[str, Any] | None:
    mixes = [month[name] for month in (own, other)]
    if name == "codes":
        codes = sorted(set().union(*mixes))
        mixes = [[mix.get(code, 0) for code in codes] for mix in mixes]
    found = drift.distance(*(np.array(mix, int) for mix in mixes))
    if found is None:
        return None
    about = {"period": other["period"], "threshold": threshold, "alarm": found.is_beyond(threshold)}
    return asdict(found) | about


def _rise(known: list[Figures], own: Figures, name: str) -> dict[str, Any] | None:
    """How far a share is above earlier ones; None where it is not known of this month or of none before."""
    kind = attention.RISES[name]
    known = [month for month in known if month[name] is not None and kind.count(month)]
    if own[name] is None or not kind.count(own) or not known:
        return None
    months = [*known, own]
    rise = drift.rise(
        [month[name] for month in months], [kind.count(month) for month in months], kind.monthly
    )
    if rise is None:
        return {"last_month": known[-1][name], "months": None, "rise": 0.0, "alarm": False}
    first, last = (known[at]["period"] for at in (rise.first, rise.last))
    return {
        "last_month": known[-1][name],
        "before": rise.before,
        "months": first if first == last else f"{first} to {last}",
        "rise": round(own[name] - rise.before, 4),
        "alarm": rise.size > drift.LIMIT and own[name] - rise.before >= kind.points,
    }
