"""Learning from other groups' rows."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse

from processing.codes import codebook as codebooks
from processing.container import run
from processing.dataset import rows_to_share, split, training_report
from tests.training.synthetic_group import codebook, featurized, items, publish_codebook, write_channel
from training import fitting, shared_rows, sharing, train, tune


def test_folded_weights_score_as_the_copies_would():
    rng = np.random.default_rng(0)
    features = sparse.random(20, 7, 0.5, "csr", rng=rng)
    source = rng.integers(0, 3, 20)
    weights = rng.normal(size=(7 * 4, 5))
    whole = sharing.with_copies(features, source) @ weights
    for group in range(3):
        own = features[source == group] @ sharing.folded(weights, group, 7)
        np.testing.assert_allclose(whole[source == group], own)


LIST = {"1": ["kitchen"], "2": ["screens", "laptops"], "3": ["tools"]}


def with_references(book: dict, group: str = "DE-weee", prefix: str = "", **references) -> dict:
    """The codebook with keys of the list `unu`; code 4 has none."""
    keys = LIST | references
    codes = [
        code
        | {"code": prefix + code["code"]}
        | ({"references": {"unu": keys[code["code"]]}} if code["code"] in keys else {})
        for code in book["codes"]
    ]
    return book | {"group": group, "codes": codes}


def neighbour(**references) -> pa.Table:
    """What a group shares whose codes have other names and, but for `references`, the same keys."""
    rows = items(400, 8)
    labels = pa.array([f"A{label}" for label in rows["label"].to_pylist()])
    rows = rows.set_column(rows.schema.get_field_index("label"), "label", labels)
    book = with_references(codebook(), "AT-weee", "A", **references)
    without_material = [entry for entry in book["attributes"] if entry["name"] != "material"]
    return rows_to_share.to_share(rows, codebooks.parse(book | {"attributes": without_material}), "unu")


@pytest.fixture
def sharing_job(job):
    """The job of a group whose folder `shared` holds a neighbour's rows, and its own."""
    own = with_references(codebook())
    publish_codebook(job, own)
    for group, rows in (("AT-weee", neighbour()), ("DE-weee", neighbour())):
        folder = job / "input" / "data" / "shared" / group
        folder.mkdir(parents=True)
        pq.write_table(rows, folder / rows_to_share.FILE)
    (folder.parent / "about.txt").write_text("A note.")
    return job


def test_what_is_shared_has_no_ids_and_no_codes_of_the_group():
    assert set(neighbour().column_names) == {"title", "brand", "product_type", "weight_kg", "keys"}


def test_nothing_is_written_for_a_group_that_does_not_share(tmp_path):
    book = codebooks.parse(with_references(codebook()))
    rows_to_share.write(tmp_path / "train", book, "none", tmp_path)
    assert list(tmp_path.iterdir()) == []


def translated(rows: pa.Table, codes: set[str], **references) -> pa.Table:
    book = codebooks.parse(with_references(codebook(), **references))
    return shared_rows.translate(rows, book, shared_rows.codes_by_key(book, codes, "unu"))


def test_rows_of_a_neighbour_come_with_this_groups_codes_and_none_of_its_test_texts():
    rows = translated(neighbour(), {"1", "2", "3"})
    assert set(rows["label"].to_pylist()) == {"1", "2", "3"}
    assert not split.is_test(rows["text_key"]).any()
    assert 200 < len(rows) < 400
    assert rows["material"].null_count == len(rows)


@pytest.mark.parametrize(
    ("theirs", "own", "learned"),
    [
        ({}, {"2": ["screens"], "3": ["laptops", "tools"]}, {"1", "3"}),  # their 2 is 2 or 3 here
        ({"2": ["screens", "projectors"]}, {}, {"1", "3"}),  # their 2 has what nobody has here
        ({}, {"3": ["screens", "laptops"]}, {"1"}),  # screens are named by two codes here
        ({"2": ["screens"]}, {}, {"1", "2", "3"}),  # a part of 2 is 2
    ],
)
def test_a_neighbours_code_is_learned_only_where_all_its_keys_mean_one_code_here(theirs, own, learned):
    rows = translated(neighbour(**theirs), {"1", "2", "3"}, **own)
    assert set(rows["label"].to_pylist()) == learned


def test_codes_that_are_not_in_force_are_not_learned_from_others():
    assert set(translated(neighbour(), {"1", "2"})["label"].to_pylist()) == {"1", "2"}


def test_a_code_that_only_a_neighbour_has_rows_of_is_learned_and_the_report_names_it(sharing_job):
    """Their code A3 is what code 4 is here, of which there is no row."""
    publish_codebook(sharing_job, with_references(codebook(), **{"4": ["garden"]}))
    path = sharing_job / "input/data/shared/AT-weee/rows.parquet"
    pq.write_table(neighbour(**{"3": ["garden"]}), path)
    assert featurized("unu").codes == ("1", "2", "3", "4")
    report = sharing_job / "processing/output/report"
    splits = {"train": {"codes": {"1": 2}}, "validation": {"codes": {}}}
    (report / "report.json").write_text(json.dumps({"splits": splits}))
    assert training_report.codes(training_report.read_report(report)) == {"1": 2, "4": 0}


def test_an_attribute_of_another_type_counts_as_missing():
    rows = neighbour()
    rows = rows.set_column(
        rows.schema.get_field_index("weight_kg"), "weight_kg", pa.array(["2 kg"] * len(rows))
    )
    assert translated(rows, {"1", "2", "3"})["weight_kg"].null_count == len(translated(rows, {"1", "2", "3"}))


def crosswalk(**same_as: list[str]) -> dict:
    """The group's codebook whose codes are the same as codes of other groups."""
    codes = [
        code | ({"same_as": same_as[code["code"]]} if code["code"] in same_as else {})
        for code in codebook()["codes"]
    ]
    return codebook() | {"codes": codes}


@pytest.mark.parametrize(
    ("same_as", "learned"),
    [
        ({"1": ["AT-weee:A1"], "4": ["AT-weee:A2"]}, {"1", "4"}),  # nobody here is what their A3 is
        ({"1": ["AT-weee:A1", "AT-weee:A2"]}, {"1"}),  # two of theirs are one here
        ({"1": ["AT-weee:A1"], "2": ["AT-weee:A1"]}, set()),  # one of theirs may be either here
        ({"1": ["CH-weee:A1"]}, set()),
    ],
)
def test_by_the_scheme_a_neighbours_code_is_what_the_own_codebook_says(same_as, learned):
    """Keys of lists say nothing there, neither theirs nor the group's own."""
    theirs = with_references(codebook(), "AT-weee", "A")
    rows = items(400, 8)
    labels = pa.array([f"A{label}" for label in rows["label"].to_pylist()])
    rows = rows.set_column(rows.schema.get_field_index("label"), "label", labels)
    lent = rows_to_share.to_share(rows, codebooks.parse(theirs), "weee")
    assert len(lent) == 400
    own = codebooks.parse(with_references(crosswalk(**same_as)))
    code_of = shared_rows.codes_by_key(own, {"1", "2", "3", "4"}, "weee")
    made = shared_rows.translate(lent, own, code_of)
    assert set(made["label"].to_pylist()) == learned


def trained_model(job) -> bytes:
    run(train.main, ["-C", "0.5"])
    return (job / "model" / "arrays.npz").read_bytes()


def test_a_group_that_shares_learns_from_its_neighbour_and_not_from_its_own_copy(sharing_job):
    featurized()
    alone = trained_model(sharing_job)
    given = featurized("unu")
    assert given.own.sum() == 800
    assert set(np.unique(given.source)) == {0, 1}
    assert not given.validation[~given.own].any()
    assert trained_model(sharing_job) != alone
    assert json.loads((sharing_job / "model/model.json").read_text())["codes"] == ["1", "2", "3"]


def test_a_trial_does_not_learn_a_neighbours_copy_of_its_validation_rows(sharing_job, monkeypatch):
    monkeypatch.setattr(tune, "ENOUGH_VALIDATION_ROWS", 1)
    learned = []
    fit = fitting.fit
    monkeypatch.setattr(
        fitting, "fit", lambda given, rows, options: learned.append(rows) or fit(given, rows, options)
    )
    given = featurized("unu")
    run(tune.main, [])
    assert np.isin(given.text[~given.own], given.text[given.validation]).any()
    assert not np.isin(given.text[learned[0]], given.text[given.validation]).any()


@pytest.mark.parametrize("family", ["linear", "boosted"])
def test_a_group_of_thirty_rows_is_trained_with_a_neighbours_and_a_person_sees_every_item(
    sharing_job, family, capsys
):
    """Others' rows teach, they prove nothing here: no threshold holds by thirty rows."""
    write_channel(sharing_job, "train", items(24, 3))
    write_channel(sharing_job, "validation", items(6, 4))
    given = featurized("unu")
    assert given.own.sum() == 30 < (~given.own).sum()
    run(tune.main, ["--family", family])
    run(train.main, ["-C", "0.5", "--family", family])
    assert "Every item goes to review" in capsys.readouterr().out
