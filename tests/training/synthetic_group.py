"""A small synthetic model group: three codes, two languages, attributes, and rows that repeat."""

import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from processing.container import run
from processing.dataset.text import text_keys
from processing.digests import sha256
from training import featurize, train
from training.channels import read_training_set
from training.training_set import TrainingSet

WORDS = {
    "1": (["Wasserkocher", "Toaster", "Bügeleisen", "Kaffeemaschine"], "steel", 1.5),
    "2": (["Laptop", "Notebook", "Tablet", "Bildschirm"], "plastic", 3.0),
    "3": (["Bohrmaschine", "Stichsäge", "Akkuschrauber", "Schleifer"], "mixed", 6.0),
}
CODEBOOK = "2026-10.json"
SETTING = ["-C", "0.5", "--min_df", "2", "--first_word_weight", "0.4"]
ATTRIBUTES = [{"name": "weight_kg", "type": "number"}, {"name": "material", "type": "category"}]


def items(n: int, seed: int, *, wrong: bool = True) -> pa.Table:
    """Synthetic canonical rows; where some are `wrong`, one row in twelve has a label by chance."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        code = str(rng.integers(1, 4))
        nouns, material, weight = WORDS[code]
        noun, colour = rng.choice(nouns), rng.choice(["rot", "blau", "weiß", ""])
        rows.append(
            {
                "item_id": f"{seed}-{i}",
                "title": f"{noun} {colour} {rng.integers(1, 40)}00 W",
                "brand": str(rng.choice(["Nordwind", "Alpha", ""])),
                "product_type": str(rng.choice([noun, ""])),
                "weight_kg": None if i % 7 == 0 else float(weight * rng.uniform(0.8, 1.2)),
                "material": None if i % 5 == 0 else material,
                "label": code if i % 12 or not wrong else str(rng.integers(1, 4)),
            }
        )
    table = pa.Table.from_pylist(rows)
    return table.append_column("text_key", text_keys("DE-weee", table))


def codebook() -> dict:
    codes = [
        {
            "code": code,
            "description": f"synthetic {code}",
            "valid_from": "2020-01-01",
            "valid_to": None,
            "critical": False,
        }
        for code in ("1", "2", "3", "4")
    ]
    return {
        "group": "DE-weee",
        "version": "2026-10",
        "language": "de",
        "source": "synthetic sample",
        "attributes": ATTRIBUTES,
        "codes": codes,
    }


def make_job(base) -> None:
    """A folder with what Featurize is given."""
    for name, rows in (("train", items(600, 1)), ("validation", items(200, 2))):
        write_channel(base, name, rows)
    folder = base / "processing" / "input" / "codebook"
    folder.mkdir()
    (folder / CODEBOOK).write_text(json.dumps(codebook()), encoding="utf-8")
    (base / "input").mkdir()
    # What a processing job has as inputs and outputs a training job has as channels.
    (base / "input" / "data").symlink_to(base / "processing" / "input")
    (base / "processing" / "input" / "features").symlink_to(base / "processing" / "output" / "features")


def enter_job(base, monkeypatch) -> None:
    """Set the environment as for a job in that folder."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(base))
    for name in ("SM_CHANNEL_FEATURES", "SM_CHANNEL_CODEBOOK", "SM_MODEL_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CODEBOOK_DIGEST", sha256(base / "processing" / "input" / "codebook" / CODEBOOK))


def publish_codebook(base, content: dict) -> None:
    """Put another codebook into the job that was entered, as if it had been published."""
    path = base / "processing" / "input" / "codebook" / CODEBOOK
    path.write_text(json.dumps(content), encoding="utf-8")
    os.environ["CODEBOOK_DIGEST"] = sha256(path)  # enter_job takes it back


def featurized(share_by: str = "none", policy: str = "{}") -> TrainingSet:
    """Run Featurize in the job's folder; its output is then the channel `features`."""
    about = ["--period", "2026-10", "--share-by", share_by, "--policy", policy]
    run(featurize.main, [*about, "--codebook-digest", os.environ["CODEBOOK_DIGEST"]])
    return read_training_set()


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A training job's folder with features, entered; returns the base folder."""
    make_job(tmp_path)
    enter_job(tmp_path, monkeypatch)
    featurized()
    return tmp_path


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The base folder of a job trained with SETTING and `--precision 0.9`; not to be changed."""
    base = tmp_path_factory.mktemp("trained")
    make_job(base)
    with pytest.MonkeyPatch.context() as monkeypatch:
        enter_job(base, monkeypatch)
        featurized()
        monkeypatch.setattr(train, "starts", lambda _: [])  # else one of them may be used instead
        run(train.main, [*SETTING, "--precision", "0.9"])
    return base


def write_channel(base, name: str, rows: pa.Table) -> None:
    folder = base / "processing" / "input" / name
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, folder / f"{name}.parquet")
