"""The classifier beside what people would write, on real items: accuracy, speed, calibration, cost of
training.

    .venv/bin/python benchmarks/classifier.py --data openrepair.csv.gz [--json PATH]

The data is an Open Repair Alliance export (CC BY-SA 4.0, https://openrepair.org/open-data/downloads/).
Rows with item_is_label = 1 hold the label in their text and are left out. The peer fastText is no
dependency of the
project: `pip install fasttext-wheel` first, or its row stays out.

Four fifths of the texts train (settings were chosen before, on a validation part of them), one fifth tests;
identical texts are on one side. `unseen words` splits by the item's name instead. One thread per process.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import multiprocessing
import resource
import sys
import time
from argparse import Namespace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from _peers import PEERS, linear_svc
from _report import arguments, show
from sklearn.metrics import f1_score

from inference import jsonlines, serve
from inference.predict import Labeller
from processing import split
from processing.codebook import Codebook
from processing.text import text_keys
from training import fitting, linear, model, sharing, train, training_set, weighting

OPTIONS = Namespace(family="linear", c=0.6, min_df=1, word_weight=1.0, precision=0.98)
COUNTRIES, SMALL = 14, 7
RECORDS = 3_300_000
PAYLOAD_BYTES = 6_000_000
BINS = 15


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="an Open Repair Alliance export, CSV or CSV.gz"
    )
    args = parser.parse_args()
    if not args.data.exists():
        print(
            f"{args.data} is not there. Get one at https://openrepair.org/open-data/downloads/.",
            file=sys.stderr,
        )
        return 2
    items = read(args.data)
    table, test = as_table(items), split.is_test(pa.array(items["text_key"]))
    peers = {name: fit for name, fit in PEERS.items() if name != "fastText" or find_spec("fasttext")}
    rows = []
    print("accuracy and speed", flush=True)
    for name, fit in peers.items():
        rows.append(measure_peer(name, fit, items, test))
        print(rows[-1], flush=True)
    labeller, ours = measure_ours(table, items, test)
    rows += ours
    show("Open Repair, all countries", rows, None)
    claims = [
        *countries(table, items, test),
        *calibration(labeller, table, items, test),
        *serving(labeller, table, test),
        *training_cost(table, test),
    ]
    show("Single claims", claims, None)
    names = list(rows[0])
    everything = rows + [
        dict.fromkeys(names, "") | {names[0]: c["claim"], names[1]: c["value"]} for c in claims
    ]
    show("Everything", everything, args.json)
    return 0


def read(path: Path) -> pd.DataFrame:
    """Rows without the label in their text, with keys of the text and of the item's name alone."""
    items = pd.read_csv(path, dtype=str).fillna("")
    items = items[items["item_is_label"] == "0"].reset_index(drop=True)
    items["title"] = items["item_text"].str.cat(items["problem"], sep=" ")
    items["text"] = items["title"].str.cat(items["brand"], sep=" ")
    items["text_key"] = text_keys("XX-repair", as_table(items, ["title", "brand"])).to_pylist()
    names = pa.table(
        {"title": items["item_text"].tolist(), "brand": [""] * len(items), "product_type": [""] * len(items)}
    )
    items["name_key"] = text_keys("XX-repair", names).to_pylist()
    return items


def as_table(items: pd.DataFrame, columns=("title", "brand", "text_key")) -> pa.Table:
    """Canonical rows."""
    made = {name: pa.array(items[name].tolist()) for name in columns}
    made |= {
        "product_type": pa.array([""] * len(items)),
        "label": pa.array(items["product_category"].tolist()),
    }
    return pa.table(made)


def scores(items: pd.DataFrame, right: np.ndarray, answers: np.ndarray) -> dict[str, float]:
    """Accuracy over rows and over distinct texts, macro-F1."""
    labels = items["product_category"].to_numpy()
    return {
        "rows": float(right.mean()),
        "distinct texts": float(pd.Series(right).groupby(items["text_key"].to_numpy()).mean().mean()),
        "macro-F1": float(f1_score(labels, answers, average="macro")),
    }


def measure_peer(name: str, fit, items: pd.DataFrame, test: np.ndarray) -> dict:
    labels = items["product_category"].to_numpy()
    started = time.process_time()
    predict = fit(items["text"][~test].tolist(), labels[~test])
    seconds = time.process_time() - started
    texts = items["text"][test].tolist()
    answers = predict(texts)
    result = scores(items[test], answers == labels[test], answers)
    unseen = split.is_test(pa.array(items["name_key"]))
    again = fit(items["text"][~unseen].tolist(), labels[~unseen])(items["text"][unseen].tolist())
    return {
        "classifier": name,
        **result,
        "unseen words": float((again == labels[unseen]).mean()),
        "fit, cpu s": seconds,
        "items/s, 1 process": len(texts) / best_of(lambda: predict(texts)),
        "items/s, 2 processes": 2 * len(texts) / best_of(lambda: side_by_side(predict, texts), 2),
    }


def measure_ours(table: pa.Table, items: pd.DataFrame, test: np.ndarray) -> tuple[Labeller, list[dict]]:
    started = time.process_time()
    labeller = fit_ours(table.filter(pa.array(~test)))
    seconds = time.process_time() - started
    given = table.filter(pa.array(test))
    result = scores(items[test], *answers_of(labeller, given, items["product_category"][test].to_numpy()))
    unseen = split.is_test(pa.array(items["name_key"]))
    right, _ = answers_of(
        fit_ours(table.filter(pa.array(~unseen))),
        table.filter(pa.array(unseen)),
        items["product_category"][unseen].to_numpy(),
    )
    many = pa.concat_tables([given] * 6)
    speed = {
        "items/s, 1 process": len(many) / best_of(lambda: labeller.label(many)),
        "items/s, 2 processes": 2 * len(many) / best_of(lambda: side_by_side(labeller.label, many)),
    }
    own = {
        "classifier": "Labelmill",
        **result,
        "unseen words": float(right.mean()),
        "fit, cpu s": seconds,
        **speed,
    }
    result, cost = shared(table, items, test)
    unseen_result, _ = shared(table, items, unseen)
    copies = {
        "classifier": "Labelmill, countries sharing",
        **result,
        "unseen words": unseen_result["rows"],
        "fit, cpu s": cost,
        **speed,
    }
    return labeller, [own, copies]


def fit_ours(table: pa.Table) -> Labeller:
    """The project's own training, confidence included."""
    given = training_set.of_rows([table], (), sorted(set(table["label"].to_pylist())))
    return Labeller(train.train(given, Codebook("XX-repair", "1", (), ()), OPTIONS)[0])


def answers_of(labeller: Labeller, table: pa.Table, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    answers = np.array(labeller.model.codes, object)[labeller.label(table).codes[:, 0]]
    return answers == labels, answers


def shared(table: pa.Table, items: pd.DataFrame, test: np.ndarray) -> tuple[dict, float]:
    """One fit with a copy of the features for each country; each country's rows scored by its folded
    weights.
    """
    country = np.unique(items["country"], return_inverse=True)[1]
    codes, labels = np.unique(items["product_category"], return_inverse=True)
    started = time.process_time()
    margins = copies_margins(table, labels, country, ~test, np.flatnonzero(test), len(codes))
    answers = codes[margins.argmax(axis=1)]
    result = scores(items[test], answers == items["product_category"][test].to_numpy(), answers)
    return result, time.process_time() - started


def copies_margins(table, labels, country, train_rows, test_rows, n_codes) -> np.ndarray:
    """Margins of the test rows, `(len(test_rows), n_codes)`."""
    from training import features

    counts = features.count(table, ())
    learned = weighting.fit(counts[train_rows], OPTIONS.min_df, OPTIONS.word_weight)
    weighted = learned.apply(counts[train_rows])
    fitted, intercepts = linear.fit(
        sharing.with_copies(weighted, country[train_rows]), labels[train_rows], n_codes, OPTIONS.c
    )
    margins = np.zeros((len(test_rows), n_codes), np.float32)
    tested = learned.apply(counts[test_rows])
    for group in np.unique(country[test_rows]):
        its = country[test_rows] == group
        margins[its] = tested[its] @ sharing.folded(fitted, group, weighted.shape[1]) + intercepts
    return margins


def countries(table: pa.Table, items: pd.DataFrame, test: np.ndarray) -> list[dict]:
    """The fourteen largest countries: each one's own LinearSVC against the shared model's copy for it."""
    names = items["country"].value_counts().index[:COUNTRIES]
    among = items["country"].isin(names).to_numpy()
    items, table, test = items[among].reset_index(drop=True), table.filter(pa.array(among)), test[among]
    country = np.array([list(names).index(name) for name in items["country"]])
    codes, labels = np.unique(items["product_category"], return_inverse=True)
    margins = copies_margins(table, labels, country, ~test, np.flatnonzero(test), len(codes))
    right = margins.argmax(axis=1) == labels[test]
    own = np.zeros(test.sum(), bool)
    for number in range(COUNTRIES):
        learn = ~test & (country == number)
        its = country[test] == number
        predict = linear_svc(items["text"][learn].tolist(), labels[learn])
        own[its] = predict(items["text"][test][its].tolist()) == labels[test][its]
    gain = {
        names[k]: right[country[test] == k].mean() - own[country[test] == k].mean() for k in range(COUNTRIES)
    }
    small = country[test] >= COUNTRIES - SMALL
    worst = min(gain, key=gain.get)
    return [
        claim("seven smallest of 14 countries, sharing", right[small].mean()),
        claim("the same, each one's own LinearSVC", own[small].mean()),
        claim("all 14, sharing", right.mean()),
        claim("all 14, each one's own LinearSVC", own.mean()),
        claim(f"smallest gain of a country over its own LinearSVC ({worst})", gain[worst]),
    ]


def calibration(labeller: Labeller, table: pa.Table, items: pd.DataFrame, test: np.ndarray) -> list[dict]:
    given = table.filter(pa.array(test))
    prediction = labeller.label(given)
    right, _ = answers_of(labeller, given, items["product_category"][test].to_numpy())
    sure = prediction.confidence[:, 0]
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    error = sum(abs(right[place == k].sum() - sure[place == k].sum()) for k in range(BINS)) / len(sure)
    alone = ~prediction.review
    return [
        claim("expected calibration error, 15 bins", error),
        claim("share of items that need no person", alone.mean()),
        claim("precision among them", right[alone].mean()),
    ]


def serving(labeller: Labeller, table: pa.Table, test: np.ndarray) -> list[dict]:
    """The container's functions on JSON Lines payloads of 6 MB, in two processes; size and load of the
    artefact.
    """
    import tempfile

    lines = pd.DataFrame(
        {n: table.filter(pa.array(test))[n].to_pylist() for n in ("title", "brand", "product_type")}
    )
    lines.insert(0, "item_id", np.arange(len(lines)).astype(str))
    body = lines.to_json(orient="records", lines=True, force_ascii=False).encode()
    records = body.splitlines(keepends=True)
    payload = b"".join((records * 10)[: PAYLOAD_BYTES * len(records) // len(body)])
    per_payload = payload.count(b"\n")
    n_payloads = RECORDS // per_payload // 2 + 1
    started = time.perf_counter()
    side_by_side(lambda body: [respond(body, labeller) for _ in range(n_payloads)], payload)
    seconds = (time.perf_counter() - started) * RECORDS / (2 * n_payloads * per_payload)
    items = jsonlines.read(payload, jsonlines.schema(()))
    bare, cycle = best_of(lambda: labeller.label(items)), best_of(lambda: respond(payload, labeller))
    with tempfile.TemporaryDirectory() as folder:
        model.save(labeller.model, Path(folder))
        size = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6
        load = best_of(lambda: serve.model_fn(folder))
    return [
        claim("3.3 million JSON Lines records, two processes, s", seconds),
        claim("request cycle (bytes to bytes) against the bare function", bare / cycle),
        claim("artefact, MB", size),
        claim("load with tables, s", load),
    ]


def respond(payload: bytes, labeller: Labeller) -> bytes:
    body = serve.input_fn(payload, serve.CONTENT_TYPE)
    return serve.output_fn(serve.predict_fn(body, labeller), serve.CONTENT_TYPE)[0]


def training_cost(table: pa.Table, test: np.ndarray) -> list[dict]:
    """20,000 rows and 40 codes: features, 12 trials, calibration and refit, in a process of its own."""
    rows = table.filter(pa.array(~test))
    rows = rows.take(np.random.default_rng(0).choice(len(rows), 20_000, replace=False))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, megabytes = pool.apply(tune_and_train, [rows])
    return [
        claim("20,000 rows, 12 trials, calibration, refit, cpu s", seconds),
        claim("the same, peak memory, MB", megabytes),
    ]


def tune_and_train(rows: pa.Table) -> tuple[float, float]:
    started = time.process_time()
    given = training_set.of_rows([rows], (), sorted(set(rows["label"].to_pylist())))
    validation = given.fold == 0
    for trial in range(12):
        options = Namespace(
            c=0.05 * 80 ** (trial / 11), min_df=1 + trial % 2, word_weight=0.5 + trial % 3 * 0.5
        )
        fitting.fit(given, ~validation, options).margins(given.features[validation])
    train.train(given, Codebook("XX-repair", "1", (), ()), OPTIONS)
    return time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def side_by_side(function, argument) -> None:
    """Run a function on the same argument in two forked processes."""
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=function, args=[argument]) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def best_of(function, times: int = 3) -> float:
    """The shortest of some runs, seconds: the others were disturbed."""
    durations = []
    for _ in range(times):
        started = time.perf_counter()
        function()
        durations.append(time.perf_counter() - started)
    return min(durations)


def claim(name: str, value: float) -> dict:
    return {"claim": name, "value": float(value)}


if __name__ == "__main__":
    sys.exit(main())
