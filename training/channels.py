"""What a training job is given: the rows of a channel, the codebook, hyperparameters.

SageMaker names each channel's folder in `SM_CHANNEL_<NAME>` and runs the script with the hyperparameters as
command-line arguments (SageMaker Training Toolkit, script mode).
"""

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from processing import codebook
from processing.codebook import Codebook
from processing.container import base_folder
from processing.errors import BadCodebook, BadData


def channel(name: str) -> Path:
    """The folder of a channel."""
    return Path(os.environ.get(f"SM_CHANNEL_{name.upper()}", base_folder() / "input" / "data" / name))


def model_folder() -> Path:
    """The folder whose content becomes the model artefact."""
    return Path(os.environ.get("SM_MODEL_DIR", base_folder() / "model"))


def read_rows(name: str) -> pa.Table:
    """The canonical rows of a channel. Raises BadData where there are none."""
    files = sorted(channel(name).glob("*.parquet"))
    if not files:
        raise BadData(f"The channel {name} has no Parquet file.", "check the Prepare job of this run.")
    return pa.concat_tables([pq.read_table(file) for file in files])


def read_codebook() -> Codebook:
    """The codebook of the channel `codebook`. Raises BadCodebook."""
    files = sorted(channel("codebook").glob("*.json"))
    if len(files) != 1:
        raise BadCodebook(
            f"The channel codebook has {len(files)} JSON files.", "give the job exactly one codebook."
        )
    return codebook.load(files[0].parent, json.loads(files[0].read_text(encoding="utf-8"))["group"])


def encode_labels(rows: pa.Table, book: Codebook) -> tuple[tuple[str, ...], np.ndarray]:
    """The codes that occur, in the codebook's order, and each row's number among them, `(n_rows,)`.

    Raises BadData for a label outside the codebook, and where fewer than two codes occur.
    """
    labels = np.asarray(rows["label"].to_pylist(), dtype=object)
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
    number = {code: i for i, code in enumerate(codes)}
    return codes, np.array([number[label] for label in labels])
