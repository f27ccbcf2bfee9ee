"""The fitted model and its artefact: arrays (`arrays.npz`, no pickles) and JSON (`model.json`)."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from processing.codebook import Attribute
from training import features
from training.confidence import Confidence
from training.features import Weighting

FORMAT = 1
BLOCKS = ("words", "characters", "attributes")


@dataclass(frozen=True)
class Prediction:
    """Answers for a batch, each array `(n_items,)`; codes are numbers into the model's `codes`."""

    code: np.ndarray
    confidence: np.ndarray
    second_code: np.ndarray
    second_confidence: np.ndarray
    review: np.ndarray


@dataclass(frozen=True)
class Model:
    """Everything that is needed to label items, and which codebook it is for."""

    group: str
    codebook_version: str
    codes: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    weighting: Weighting
    weights: np.ndarray
    intercepts: np.ndarray
    confidence: Confidence
    threshold: float

    def margins(self, table: pa.Table) -> np.ndarray:
        """How strongly each code is indicated, `(n_items, n_codes)`; comparable within one item."""
        counts = features.count(table, self.attributes)
        return self.weighting.apply(counts) @ self.weights + self.intercepts

    def predict(self, table: pa.Table) -> Prediction:
        """Label items: columns `title`, `brand`, `product_type` and the attributes."""
        best, first, second = self.confidence.of_two(self.margins(table))
        return Prediction(best[:, 0], first, best[:, 1], second, first < self.threshold)


def save(model: Model, folder: Path) -> None:
    """Write the artefact's two files; the same model gives the same bytes."""
    about = {
        "format": FORMAT,
        "group": model.group,
        "codebook_version": model.codebook_version,
        "codes": model.codes,
        "attributes": [{"name": a.name, "type": a.type} for a in model.attributes],
        "word_weight": model.weighting.word_weight,
        "threshold": model.threshold,
        "confidence": {"first": list(model.confidence.first), "second": list(model.confidence.second)},
    }
    (folder / "model.json").write_text(
        json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    arrays = {"weights": model.weights, "intercepts": model.intercepts}
    for i, block in enumerate(BLOCKS):
        arrays[f"{block}_columns"] = model.weighting.columns[i]
        arrays[f"{block}_idf"] = model.weighting.idf[i]
    np.savez_compressed(folder / "arrays.npz", **arrays)


def load(folder: Path) -> Model:
    """Read what `save` wrote. Raises ValueError for another format; nothing is ever unpickled."""
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if about["format"] != FORMAT:
        raise ValueError(f"the model in {folder} has format {about['format']}, this code reads {FORMAT}")
    with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
        return Model(
            group=about["group"],
            codebook_version=about["codebook_version"],
            codes=tuple(about["codes"]),
            attributes=tuple(Attribute(a["name"], a["type"]) for a in about["attributes"]),
            weighting=Weighting(
                tuple(arrays[f"{block}_columns"] for block in BLOCKS),
                tuple(arrays[f"{block}_idf"] for block in BLOCKS),
                about["word_weight"],
            ),
            weights=arrays["weights"],
            intercepts=arrays["intercepts"],
            confidence=Confidence(
                np.array(about["confidence"]["first"]), np.array(about["confidence"]["second"])
            ),
            threshold=about["threshold"],
        )
