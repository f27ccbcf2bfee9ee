"""Serving under SageMaker's inference contract: `model_fn`, `input_fn`, `predict_fn`, `output_fn`.

In the model artefact this module lies in `code/`; `SAGEMAKER_PROGRAM=inference.serve` names it.
"""

from dataclasses import dataclass
from pathlib import Path

from inference import jsonlines
from inference.predict import Labeller, Prediction
from training import model

CONTENT_TYPE = "application/jsonlines"
ACCEPTED = (CONTENT_TYPE, "application/x-jsonlines", "application/jsonl")


@dataclass(frozen=True)
class Answers:
    """Predictions and the names of the codes they number."""

    prediction: Prediction
    codes: tuple[str, ...]


def model_fn(model_dir: str) -> Labeller:
    """Load the model once per worker."""
    return Labeller(model.load(Path(model_dir)))


def input_fn(body: bytes | str, content_type: str) -> bytes:
    """The request's body as bytes; which fields count, the model knows.

    Raises:
        ValueError: the content type is not one that is accepted.
    """
    if content_type.split(";")[0].strip() not in ACCEPTED:
        raise ValueError(f"The content type {content_type} is not supported. Fix: send {CONTENT_TYPE}.")
    return body.encode() if isinstance(body, str) else bytes(body)


def predict_fn(body: bytes, labeller: Labeller) -> Answers:
    """Label every record. Raises ValueError naming the line that cannot be read."""
    items = jsonlines.read(body, jsonlines.schema(labeller.model.attributes))
    return Answers(labeller.label(items), labeller.model.codes)


def output_fn(answers: Answers, accept: str) -> tuple[bytes, str]:
    """One JSON object a record and the content type; JSON Lines whatever is asked for."""
    return jsonlines.write(answers.prediction, answers.codes), CONTENT_TYPE
