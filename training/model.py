"""The fitted model and its artefact: JSON, arrays without pickles, and trees in xgboost's own format."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import xgboost
from numpy.typing import NDArray

from processing.arrays import Floats
from processing.codes.codebook import Attribute
from training.confidence import LOGISTIC_SIGNALS, Confidence
from training.weighting import PARTS, Part, Weighting

FORMAT = 3
#: Format 2 has one threshold for all codes, trees alone for the confidence, and no weight of the first word.
READ = (2, FORMAT)
OLD_FIRST_WORD_WEIGHT = 0.7
FILES = ("model.json", "arrays.npz", "confidence.ubj", "booster.ubj")  # the last one not always


@dataclass(frozen=True)
class Quantised:
    """Weights in steps of their row's 127th part: `values` `(n, n_codes)` int8, `scale` `(n,)` float32.

    On real texts one row in thousands changes its code, and the artefact is a quarter of the size.
    """

    values: NDArray[np.int8]
    scale: NDArray[np.float32]

    @classmethod
    def of(cls, weights: Floats) -> "Quantised":
        """Quantise float weights `(n, n_codes)`."""
        scale = (np.abs(weights).max(axis=1, initial=0) / 127).astype(np.float32)
        return cls(np.rint(weights / np.where(scale > 0, scale, 1)[:, None]).astype(np.int8), scale)

    def floats(self) -> NDArray[np.float32]:
        """The weights, `(n, n_codes)`, float32."""
        return self.values * self.scale[:, None]


@dataclass(frozen=True)
class Model:
    """Everything that is needed to label items, and which codebook it is for.

    Attributes:
        codes: the codes it can answer.
        vocabulary: the words of the training rows, `(n_words,)`; the weighting's words are indices into it.
        weights: for each part of the weighting.
        intercepts: `(n_codes,)` float32.
        booster: trees on margins and attributes (families/boosted.py); None for the linear candidate.
        thresholds: confidences below that of the first code need a person, `(n_codes,)`, in (0, 1].
        short_list_gap: how far below the best margin a code may be on the short list (short_list.py); None
            for no lists.
    """

    group: str
    codebook_version: str
    codes: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    vocabulary: pa.Array
    weighting: Weighting
    weights: dict[str, Quantised]
    intercepts: Floats
    booster: xgboost.Booster | None
    confidence: Confidence
    thresholds: Floats
    short_list_gap: float | None

    def threshold_of(self, code: str) -> float:
        """The threshold of one of the codes."""
        return float(self.thresholds[self.codes.index(code)])


def split_weights(weighting: Weighting, weights: Floats) -> dict[str, Quantised]:
    """Weights of all features, `(n_features, n_codes)`, as those of each part."""
    ends = np.cumsum([len(weighting.parts[name].columns) for name in PARTS])
    return {name: Quantised.of(rows) for name, rows in zip(PARTS, np.split(weights, ends[:-1]), strict=True)}


def save(model: Model, folder: Path) -> None:
    """Write the artefact's files; the same model gives the same bytes."""
    about = {
        "format": FORMAT,
        "group": model.group,
        "codebook_version": model.codebook_version,
        "codes": model.codes,
        "attributes": [{"name": a.name, "type": a.type} for a in model.attributes],
        "word_weight": model.weighting.word_weight,
        "first_word_weight": model.weighting.first_word_weight,
        "thresholds": model.thresholds.tolist(),
        "boosted": model.booster is not None,
        "confidence_logistic": model.confidence.logistic.tolist(),
        "confidence_trees_share": model.confidence.trees_share,
        "other_codes": model.confidence.others.tolist(),
        "short_list_gap": model.short_list_gap,
    }
    (folder / "model.json").write_text(
        json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    words = "\n".join(model.vocabulary.to_pylist()).encode()
    arrays = {"intercepts": model.intercepts, "vocabulary": np.frombuffer(words, np.uint8)}
    for name, part in model.weighting.parts.items():
        arrays |= {f"{name}_columns": part.columns, f"{name}_idf": part.idf}
        arrays |= {f"{name}_values": model.weights[name].values, f"{name}_scale": model.weights[name].scale}
    np.savez_compressed(folder / "arrays.npz", **arrays)
    model.confidence.first.save_model(folder / "confidence.ubj")
    if model.booster is not None:
        model.booster.save_model(folder / "booster.ubj")


def load(folder: Path) -> Model:
    """Read what `save` wrote. Raises ValueError for another format; nothing is ever unpickled."""
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if about["format"] not in READ:
        raise ValueError(
            f"The model has format {about['format']}, this code reads {' and '.join(map(str, READ))}. "
            "Fix: use the code that trained it, in the folder code of its artefact."
        )
    with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
        parts = {name: Part(arrays[f"{name}_columns"], arrays[f"{name}_idf"]) for name in PARTS}
        return Model(
            group=about["group"],
            codebook_version=about["codebook_version"],
            codes=tuple(about["codes"]),
            attributes=tuple(Attribute(a["name"], a["type"]) for a in about["attributes"]),
            vocabulary=pa.array(bytes(arrays["vocabulary"]).decode().split("\n"), pa.large_string()),
            weighting=Weighting(
                parts, about["word_weight"], about.get("first_word_weight", OLD_FIRST_WORD_WEIGHT)
            ),
            weights={name: Quantised(arrays[f"{name}_values"], arrays[f"{name}_scale"]) for name in PARTS},
            intercepts=arrays["intercepts"],
            booster=_load_trees(folder / "booster.ubj") if about["boosted"] else None,
            confidence=_confidence(about, _load_trees(folder / "confidence.ubj")),
            thresholds=_thresholds(about),
            short_list_gap=about.get("short_list_gap"),  # formats before 3 have none
        )


def _confidence(about: dict[str, Any], trees: xgboost.Booster) -> Confidence:
    """In format 2 it is the trees' alone."""
    logistic = about.get("confidence_logistic", [0.0] * (LOGISTIC_SIGNALS + 1))
    share = about.get("confidence_trees_share", 1.0)
    return Confidence(trees, np.array(logistic), share, np.array(about["other_codes"]))


def _thresholds(about: dict[str, Any]) -> Floats:
    one = about.get("threshold")
    return np.array(about["thresholds"] if one is None else [one] * len(about["codes"]))


def _load_trees(file: Path) -> xgboost.Booster:
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(file)
    return booster
