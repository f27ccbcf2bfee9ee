"""The scripts of a trial and of the final training."""

import re

import pytest

from processing.container import run
from tests.training.synthetic_group import CODEBOOK, featurized, items, write_channel
from training import train, tune


def objective(output: str) -> float:
    return float(re.search(r"macro_f1=(.*?);", output).group(1))


def test_a_trial_prints_its_objective_and_leaves_the_model_folder_empty(job, capsys):
    run(tune.main, ["-C", "0.5", "--min_df", "1", "--word_weight", "1.0"])
    assert 0.8 < objective(capsys.readouterr().out) <= 1
    assert not (job / "model").exists()


def test_training_writes_the_model_and_the_code_that_serves_it(job, capsys):
    run(train.main, ["-C", "0.5", "--precision", "0.9"])
    assert 0.8 < objective(capsys.readouterr().out) <= 1
    assert {path.name for path in (job / "model").iterdir()} == {
        "model.json",
        "arrays.npz",
        "confidence.ubj",
        "code",
    }
    assert (job / "model/code/inference/serve.py").is_file()
    assert not list((job / "model").rglob("*.pkl"))


@pytest.mark.parametrize(("precision", "warned"), [("1", True), ("0.5", False)])
def test_a_training_says_where_no_threshold_reaches_the_precision(job, capsys, precision, warned):
    run(train.main, ["-C", "0.5", "--precision", precision])
    sentence = (
        "Every item goes to review: with the rows available, no threshold reaches a precision of 100 %."
    )
    assert (sentence in capsys.readouterr().out) == warned


def test_training_twice_gives_the_same_bytes(job):
    run(train.main, ["-C", "0.5"])
    first = {path.name: path.read_bytes() for path in (job / "model").glob("*.*")}
    run(train.main, ["-C", "0.5"])
    assert first == {path.name: path.read_bytes() for path in (job / "model").glob("*.*")}


@pytest.mark.parametrize("script", [featurized, lambda: run(train.main, ["-C", "0.5"])])
def test_a_codebook_that_was_overwritten_under_its_version_is_learned_from_by_no_job(job, script):
    path = job / "processing/input/codebook" / CODEBOOK
    path.write_text(path.read_text().replace("synthetic 1", "synthetic 7"))
    with pytest.raises(SystemExit):
        script()
    assert f"The codebook {CODEBOOK} is not what was recorded" in (job / "output/failure").read_text()


def test_a_single_code_is_a_known_failure(job):
    for name in ("train", "validation"):
        rows = items(50, 3)
        write_channel(job, name, rows.set_column(rows.schema.get_field_index("label"), "label", [["1"] * 50]))
    with pytest.raises(SystemExit):
        featurized()
    assert "All 100 training rows have one code (1)" in (job / "output/failure").read_text()


def test_a_label_outside_the_codebook_is_a_known_failure(job):
    rows = items(50, 3)
    write_channel(
        job, "train", rows.set_column(rows.schema.get_field_index("label"), "label", [["1"] * 49 + ["9"]])
    )
    with pytest.raises(SystemExit):
        featurized()
    assert "The label 9 is not in the codebook 2026-10." in (job / "output/failure").read_text()


def test_an_empty_input_is_a_known_failure(job):
    (job / "processing/input/validation/validation.parquet").unlink()
    with pytest.raises(SystemExit):
        featurized()
    assert "The folder validation has no Parquet file." in (job / "output/failure").read_text()
