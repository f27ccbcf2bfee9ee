"""What a change of models would change for users: which confusions, and which items get another label."""

import pandas as pd
import pyarrow as pa

CONFUSIONS = 20
FLIPS_OF_A_KIND = 100
TITLE_CHARACTERS = 200


def changes(challenger: pa.Table, winner: pa.Table | None) -> dict[str, object]:
    """Confusions and flips, as JSON holds them.

    `challenger` and `winner` are published test sets with the same rows in the same order; `winner` is None
    where the group has none yet: then there are no flips.
    """
    both = challenger.select(["item_id", "title", "text_key", "truth", "code", "confidence"]).to_pandas()
    both = both.rename(columns={"code": "challenger", "confidence": "challenger_confidence"})
    if winner is None:
        return {"confusions": confusions(both, ["challenger"]), "flips": None}
    both["winner"] = winner["code"].to_pandas()
    both["winner_confidence"] = winner["confidence"].to_pandas()
    return {"confusions": confusions(both, ["challenger", "winner"]), "flips": flips(both)}


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


def flips(labels: pd.DataFrame) -> dict[str, dict[str, object]]:
    """The items that get another label, by kind: `worse` (newly wrong), `better` (newly right), `other`.

    `labels` has the columns `item_id`, `title`, `text_key`, `truth`, and code and confidence of both models.
    Each kind has the number of its `rows` and at most FLIPS_OF_A_KIND `items`, those first of which the
    challenger is most sure. Rows of one text with the same labels are one item, the first of them by id, with
    the number of its `rows`.
    """
    flipped = labels[labels["challenger"] != labels["winner"]]
    kinds = {
        "worse": flipped["winner"] == flipped["truth"],
        "better": flipped["challenger"] == flipped["truth"],
    }
    kinds["other"] = ~(kinds["worse"] | kinds["better"])
    return {kind: {"rows": int(of.sum()), "items": _items(flipped[of])} for kind, of in kinds.items()}


def _items(flipped: pd.DataFrame) -> list[dict[str, object]]:
    same = ["text_key", "truth", "challenger", "winner"]
    rows = flipped.groupby(same, sort=False).size().rename("rows").reset_index()
    items = flipped.drop_duplicates(same).merge(rows, on=same)
    items = items.sort_values(["challenger_confidence", "item_id"], ascending=[False, True])
    items = items.head(FLIPS_OF_A_KIND).drop(columns="text_key")
    items["title"] = [_short(title) for title in items["title"]]
    shown: list[dict[str, object]] = items.to_dict("records")
    return shown


def _short(title: str | None) -> str | None:
    if title is None or len(title) <= TITLE_CHARACTERS:
        return title
    return title[: TITLE_CHARACTERS - 1] + "…"
