"""What a trial and the final training learn from: features, labels, folds; made once, read by all."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.arrays import Booleans, Integers
from processing.codes.codebook import Attribute, Codebook
from processing.dataset.text import TEXT_COLUMNS
from processing.errors import BadData
from training import features
from training.features import Features

FOLDS = 5


@dataclass(frozen=True)
class TrainingSet:
    """Rows of train and validation, and rows of other groups where the group shares.

    Attributes:
        codes: the codes that occur in any row, in the codebook's order.
        labels: number of each row's code, `(n_rows,)`.
        text: number of each row's text, equal for equal texts, `(n_rows,)`.
        fold: in [0, FOLDS), identical texts in one fold, `(n_rows,)`.
        validation: which rows are validation, `(n_rows,)`; never another group's.
        source: number of the group each row is from, 0 the own one, `(n_rows,)`.
        left_out: which rows not to learn from, as their labels are likely wrong (doubtful.py), `(n_rows,)`.
            They are validated and calibrated on like all others: new items are not freed of the hard ones.
    """

    features: Features
    codes: tuple[str, ...]
    labels: Integers
    text: Integers
    fold: Integers
    validation: Booleans
    source: Integers
    left_out: Booleans

    @property
    def own(self) -> Booleans:
        """Which rows are the group's own, `(n_rows,)`."""
        own: Booleans = self.source == 0
        return own

    @property
    def borrowed(self) -> list[str]:
        """The codes that only rows of other groups have."""
        own = set(self.labels[self.own].tolist())
        return [code for number, code in enumerate(self.codes) if number not in own]

    def save(self, folder: Path) -> None:
        """Write it as arrays and JSON."""
        self.features.save(folder / "features.npz")
        names = ("labels", "text", "fold", "validation", "source", "left_out")
        np.savez(folder / "rows.npz", **{name: getattr(self, name) for name in names})
        (folder / "codes.json").write_text(json.dumps(self.codes, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "TrainingSet":
        """Read what `save` wrote."""
        codes = tuple(json.loads((folder / "codes.json").read_text(encoding="utf-8")))
        with np.load(folder / "rows.npz", allow_pickle=False) as rows:
            return cls(Features.load(folder / "features.npz"), codes, **rows)


def build(
    train: pa.Table, validation: pa.Table, book: Codebook, shared: list[pa.Table] | None = None
) -> TrainingSet:
    """Make the training set of canonical rows.

    `shared` has one table for each other group, its labels already codes of this codebook
    (training/shared_rows.py).

    Raises:
        BadData: a label is outside the codebook, or the own rows have fewer than two codes.
    """
    own = pa.concat_tables([train, validation])
    groups = [own, *(shared or [])]
    present_codes(own["label"].to_pylist(), book)
    codes = present_codes([label for group in groups for label in group["label"].to_pylist()], book)
    made = of_rows(groups, book.attributes, codes)
    made.validation[len(train) : len(own)] = True
    return made


def of_rows(groups: list[pa.Table], attributes: tuple[Attribute, ...], codes: Sequence[str]) -> TrainingSet:
    """Rows of groups, the own one first, without any validation rows.

    Rows with other labels than `codes` are left out.
    """
    number = {code: i for i, code in enumerate(codes)}
    columns = [*TEXT_COLUMNS, *(attribute.name for attribute in attributes), "label", "text_key"]
    known = pa.array(list(codes))
    tables = [table.select(columns).filter(pc.is_in(table["label"], known)) for table in groups]
    rows = pa.concat_tables(tables, promote_options="permissive")
    keys = rows["text_key"].to_pylist()
    return TrainingSet(
        features=features.count(rows, attributes),
        codes=tuple(codes),
        labels=np.array([number[label] for label in rows["label"].to_pylist()]),
        text=np.unique(keys, return_inverse=True)[1],
        # The key's last digits: its first ones decided the split between train, validation and test.
        fold=np.array([int(key[-8:], 16) % FOLDS for key in keys]),
        validation=np.zeros(len(rows), bool),
        source=np.repeat(np.arange(len(tables)), [len(table) for table in tables]),
        left_out=np.zeros(len(rows), bool),
    )


def present_codes(labels: list[str], book: Codebook) -> tuple[str, ...]:
    """The codes that occur, in the codebook's order. Raises BadData."""
    present = set(labels)
    codes = tuple(code.code for code in book.codes if code.code in present)
    unknown = sorted(present - set(codes), key=str)
    if unknown:
        raise BadData(
            f"The label {unknown[0]} is not in the codebook {book.version}.",
            "correct the label, or publish a codebook that has the code.",
        )
    if len(codes) < 2:
        raise BadData(
            f"All {len(labels)} training rows have one code ({', '.join(codes)}).",
            "deliver rows of at least two codes; a classifier cannot be trained on one.",
        )
    return codes
