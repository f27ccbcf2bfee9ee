"""The scripts of a trial and of the final training."""

import json
import re

import numpy as np
import pytest

from processing.container import run
from tests.training.synthetic_group import CODEBOOK, featurized, items, write_channel
from training import fitting, train, tune
from training.channels import read_training_set
from training.hyperparameters import STARTS, parser, starts
from training.training_set import FOLDS


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
        "Every item goes to review: the labelled rows do not show a precision of 100 % at any threshold; no "
        "number of rows shows that."
    )
    assert (sentence in capsys.readouterr().out) == warned


def test_a_start_is_used_where_the_search_found_nothing_as_good(job, capsys):
    run(train.main, ["-C", "1e-9", "--min_df", "100"])
    assert "A start does better than the search's setting and is used" in capsys.readouterr().out
    used = json.loads((job / "model/model.json").read_text())
    assert (used["word_weight"], used["first_word_weight"]) in [
        (start["word_weight"], start["first_word_weight"]) for start in STARTS
    ]


def test_a_setting_that_no_start_beats_is_kept(job):
    given = read_training_set()
    candidates = starts(parser("").parse_args([]))
    tried = [fitting.out_of_fold(given, options)[0] for options in candidates]
    scores = [tune.macro_f1(given.labels, margins) for margins in tried]
    best = int(np.argmax(scores))
    kept, margins, _ = train.best_setting(given, candidates[best])
    assert kept is candidates[best]
    assert (margins == tried[best]).all()


def test_of_a_large_group_a_start_is_compared_on_one_fold_and_then_fitted_on_all(job, monkeypatch):
    monkeypatch.setattr(tune, "ENOUGH_VALIDATION_ROWS", 50)
    asked = []
    out_of_fold = fitting.out_of_fold

    def noting(given, options, folds=range(FOLDS)):
        asked.append(list(folds))
        return out_of_fold(given, options, folds)

    monkeypatch.setattr(fitting, "out_of_fold", noting)
    _, margins, _ = train.best_setting(
        read_training_set(), parser("").parse_args(["-C", "1e-9", "--min_df", "100"])
    )
    assert asked == [list(range(FOLDS)), *[[0]] * len(STARTS), list(range(FOLDS))]
    assert margins.any(axis=1).all()


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
