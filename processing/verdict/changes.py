"""What a model still gets wrong, and what a change of models would change for users: items and confusions."""

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa

CONFUSIONS = 20
ITEMS_OF_A_KIND = 100
CONFUSIONS_OF_A_KIND = 10
EXAMPLES = 3
TITLE_CHARACTERS = 200
CODES_TO_LABEL = 10
CHANCE = 2  # wrong texts of a code from where on it is not left out as perhaps chance


def changes(challenger: pa.Table, winner: pa.Table | None) -> dict[str, object]:
    """Confusions and outcomes, as JSON holds them.

    `challenger` and `winner` are published test sets with the same rows in the same order; `winner` is None
    where the group has none yet.
    """
    labels = challenger.select(["item_id", "title", "text_key", "truth", "code", "confidence"]).to_pandas()
    labels = labels.rename(columns={"code": "challenger", "confidence": "challenger_confidence"})
    models = ["challenger"]
    if winner is not None:
        labels["winner"] = winner["code"].to_pandas()
        labels["winner_confidence"] = winner["confidence"].to_pandas()
        models.append("winner")
    return {"confusions": confusions(labels, models), "outcomes": outcomes(labels, models)}


def confusions(labels: pd.DataFrame, models: list[str]) -> list[dict[str, object]]:
    """The pairs of true code and wrong code whose number of rows differs most between the models.

    `labels` has the columns `truth` and one for each of `models`. At most CONFUSIONS pairs come back, each
    with `truth`, `given` and each model's number of rows. Of one model alone: its most frequent pairs.
    """
    counts = pd.DataFrame(
        {
            model: labels.loc[labels[model] != labels["truth"], ["truth", model]]
            .rename(columns={model: "given"})
            .value_counts()
            for model in models
        }
    )
    counts = counts.rename_axis(["truth", "given"]).fillna(0).astype(int).reset_index()
    change = counts[models[0]] - counts[models[1]] if len(models) > 1 else counts[models[0]]
    order = change[change != 0].abs().sort_values(ascending=False, kind="stable").index
    shown: list[dict[str, object]] = counts.loc[order[:CONFUSIONS]].to_dict("records")
    return shown


def outcomes(labels: pd.DataFrame, models: list[str]) -> dict[str, dict[str, object]]:
    """The rows by what the models make of them; each row is in one kind.

    Kinds: `right` with all models; of two models `better` (newly right), `worse` (newly wrong), `alike` and
    `other` (wrong with both, with the same code and with different ones); of one model `wrong`.

    Each kind has the number of its `rows`. Those that are wrong somewhere also have at most
    CONFUSIONS_OF_A_KIND `confusions` (codes, `rows`, and the `titles` of at most EXAMPLES texts), the most
    frequent first, and at most ITEMS_OF_A_KIND `items`, those first of which the challenger is most sure.
    Rows of one text with the same labels are one item, the first of them by id, with the number of `rows`.

    `labels` has the columns `item_id`, `title`, `text_key`, `truth`, and code and confidence of each model.
    """
    right = labels["challenger"] == labels["truth"]
    if "winner" in models:
        before = labels["winner"] == labels["truth"]
        same = labels["challenger"] == labels["winner"]
        kinds = {
            "better": right & ~before,
            "worse": before & ~right,
            "alike": ~right & same,
            "other": ~right & ~before & ~same,
        }
        right &= before
    else:
        kinds = {"wrong": ~right}
    codes = ["truth", *models]
    counted: dict[str, dict[str, object]] = {"right": {"rows": int(right.sum())}}
    return counted | {kind: _wrong(labels[rows], codes) for kind, rows in kinds.items()}


def label_more(
    labels: pa.Table, learned: Mapping[str, int], in_force: Sequence[str]
) -> list[dict[str, object]]:
    """The codes in force where one more labelled row would mend most: at most CODES_TO_LABEL, best first.

    By the rule that errors times rarity is the gain: texts of the code that the model gets wrong, divided by
    the rows it `learned` the code from. For a model's error falls about as a power of its number of rows
    (Hestness et al. 2017, "Deep Learning Scaling is Predictable, Empirically", arXiv 1712.00409; the same
    power assumed for all codes), and the slope of a power is in proportion to that quotient. An order to
    label in, not a forecast. Codes with fewer than CHANCE wrong texts are left out.

    `labels` is the model's published test set. Of each code: its `texts`, those `wrong`, the rows `learned`.
    """
    rows = labels.select(["text_key", "truth", "code"]).to_pandas()
    texts = rows.groupby("truth")["text_key"].nunique()
    wrong = rows[rows["code"] != rows["truth"]].groupby("truth")["text_key"].nunique()
    found = [
        {"code": code, "texts": int(texts[code]), "wrong": int(many), "learned": learned.get(code, 0)}
        for code, many in wrong.items()
        if many >= CHANCE and code in in_force
    ]
    return sorted(found, key=lambda of: (-of["wrong"] / max(of["learned"], 1), of["code"]))[:CODES_TO_LABEL]


def _wrong(rows: pd.DataFrame, codes: list[str]) -> dict[str, object]:
    same = ["text_key", *codes]
    many = rows.groupby(same, sort=False).size().rename("rows").reset_index()
    items = rows.drop_duplicates(same).merge(many, on=same)
    items = items.sort_values(["challenger_confidence", "item_id"], ascending=[False, True])
    items = items.drop(columns="text_key")
    frequent = items.groupby(codes)["rows"].sum().sort_values(ascending=False, kind="stable")
    return {
        "rows": len(rows),
        "confusions": [_confusion(items, codes, pair) for pair in frequent.index[:CONFUSIONS_OF_A_KIND]],
        "items": _shown(items.head(ITEMS_OF_A_KIND)),
    }


def _confusion(items: pd.DataFrame, codes: list[str], pair: tuple[str, ...]) -> dict[str, object]:
    of = items[(items[codes] == pair).all(axis=1)]
    titles = [_short(title) for title in of["title"].head(EXAMPLES)]
    return {**dict(zip(codes, pair, strict=True)), "rows": int(of["rows"].sum()), "titles": titles}


def _shown(items: pd.DataFrame) -> list[dict[str, object]]:
    shown: list[dict[str, object]] = items.assign(title=[*map(_short, items["title"])]).to_dict("records")
    return shown


def _short(title: str | None) -> str | None:
    if title is None or len(title) <= TITLE_CHARACTERS:
        return title
    return title[: TITLE_CHARACTERS - 1] + "…"
