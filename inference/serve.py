"""Serving under SageMaker's inference contract: `model_fn`, `input_fn`, `predict_fn`, `output_fn`.

In the model artefact this module lies in `code/`; `SAGEMAKER_PROGRAM=inference.serve` names it.
"""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from inference import jsonlines
from training import model
from training.model import Model, Prediction

CONTENT_TYPE = "application/jsonlines"
ACCEPTED = (CONTENT_TYPE, "application/x-jsonlines", "application/jsonl")


@dataclass(frozen=True)
class Answers:
    """Predictions and the names of the codes they number."""

    prediction: Prediction
    codes: tuple[str, ...]


def model_fn(model_dir: str) -> Model:
    """Load the model once per worker."""
    return model.load(Path(model_dir))


def input_fn(body: bytes | str, content_type: str) -> bytes:
    """The request's body as bytes. Raises ValueError for another content type; which fields count the model knows."""
    if content_type.split(";")[0].strip() not in ACCEPTED:
        raise ValueError(f"The content type {content_type} is not supported. Fix: send {CONTENT_TYPE}.")
    return body.encode() if isinstance(body, str) else bytes(body)


def predict_fn(body: bytes, fitted: Model) -> Answers:
    """Label every record. Raises ValueError naming the line that cannot be read."""
    if not body.strip():
        return Answers(fitted.predict(empty(fitted)), fitted.codes)
    return Answers(fitted.predict(jsonlines.read(body, jsonlines.schema(fitted.attributes))), fitted.codes)


def output_fn(answers: Answers, accept: str) -> tuple[bytes, str]:
    """One JSON object a record and the content type; JSON Lines whatever is asked for."""
    return jsonlines.write(answers.prediction, answers.codes), CONTENT_TYPE


def empty(fitted: Model) -> pa.Table:
    """No items, with the right columns."""
    return jsonlines.schema(fitted.attributes).empty_table()
