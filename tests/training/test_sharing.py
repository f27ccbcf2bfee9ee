import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import sparse
from synthetic_group import codebook, items

from processing import codebook as codebooks
from processing import split
from processing.container import run
from training import featurize, shared_rows, sharing, train
from training.training_set import TrainingSet


def test_folded_weights_score_as_the_copies_would():
    rng = np.random.default_rng(0)
    features = sparse.random(20, 7, 0.5, "csr", rng=rng)
    source = rng.integers(0, 3, 20)
    weights = rng.normal(size=(7 * 4, 5))
    whole = sharing.with_copies(features, source) @ weights
    for group in range(3):
        own = features[source == group] @ sharing.folded(weights, group, 7)
        np.testing.assert_allclose(whole[source == group], own)


def with_references(book: dict, prefix: str = "") -> dict:
    references = {"1": "kitchen", "2": "screens", "3": "tools", "4": None}
    codes = [
        code | {"code": prefix + code["code"], "reference": references[code["code"]]}
        for code in book["codes"]
    ]
    return book | {"codes": codes}


def neighbour(folder, n: int = 400):
    """A group whose codes have other names and the same references."""
    folder.mkdir(parents=True)
    rows = items(n, 8)
    labels = pa.array([f"A{label}" for label in rows["label"].to_pylist()])
    rows = rows.set_column(rows.schema.get_field_index("label"), "label", labels).drop_columns(["material"])
    pq.write_table(rows, folder / "train.parquet")
    (folder / "1.json").write_text(json.dumps(with_references(codebook(), "A") | {"group": "AT-weee"}))


def test_rows_of_a_neighbour_come_with_this_groups_codes_and_none_of_its_test_texts(tmp_path):
    neighbour(tmp_path / "shared" / "AT-weee")
    own = tmp_path / "codebook"
    own.mkdir()
    (own / "1.json").write_text(json.dumps(with_references(codebook())))
    (rows,) = shared_rows.read(tmp_path / "shared", own, codebooks.parse(with_references(codebook())))
    assert set(rows["label"].to_pylist()) == {"1", "2", "3"}
    assert not split.is_test(rows["text_key"]).any()
    assert 200 < len(rows) < 400
    assert rows["material"].null_count == len(rows)


def test_codes_without_a_shared_reference_are_left_out(tmp_path):
    neighbour(tmp_path / "shared" / "AT-weee")
    own = tmp_path / "codebook"
    own.mkdir()
    (own / "1.json").write_text(json.dumps(codebook()))
    assert shared_rows.read(tmp_path / "shared", own, codebooks.parse(codebook())) == []


def featurized(job):
    """Run Featurize on what the job's channels hold, and make its output the channel `features`."""
    (job / "processing").mkdir(exist_ok=True)
    if not (job / "processing" / "input").exists():
        (job / "processing" / "input").symlink_to(job / "input" / "data")
    run(featurize.main, [])
    (job / "input" / "data" / "features").symlink_to(job / "processing" / "output" / "features")
    return TrainingSet.load(job / "input" / "data" / "features")


def test_training_from_featurized_rows_gives_the_same_model(job):
    run(train.main, ["-C", "0.5"])
    direct = {path.name: path.read_bytes() for path in (job / "model").glob("*.*")}
    featurized(job)
    for name in ("train", "validation"):
        (job / "input" / "data" / name / f"{name}.parquet").unlink()
    run(train.main, ["-C", "0.5"])
    assert direct == {path.name: path.read_bytes() for path in (job / "model").glob("*.*")}


def test_a_group_that_shares_learns_codes_only_for_its_own_codebook(job):
    neighbour(job / "input" / "data" / "shared" / "AT-weee")
    (job / "input/data/codebook/2026-10.json").write_text(json.dumps(with_references(codebook())))
    given = featurized(job)
    assert given.own.sum() == 800
    assert set(np.unique(given.source)) == {0, 1}
    assert not given.validation[~given.own].any()
    run(train.main, ["-C", "0.5"])
    assert json.loads((job / "model/model.json").read_text())["codes"] == ["1", "2", "3"]
