"""The classifier's single claims: calibration, serving, cost of training, small countries."""

import multiprocessing
import os
import resource
import socket
import tempfile
import time
from argparse import Namespace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from _items import BOOK, OPTIONS, answers_of, best_of, copies_margins, side_by_side
from _peers import linear_svc

from inference import jsonlines, serve
from inference.predict import Labeller
from infra.local.sagemaker import serving as model_server
from infra.local.sagemaker.invocations import Client
from training import fitting, model, train, training_set

COUNTRIES, SMALL = 14, 7
RECORDS = 3_300_000
PAYLOAD_BYTES = 6_000_000
BINS = 15


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
    bare, functions = best_of(lambda: labeller.label(items)), best_of(lambda: respond(payload, labeller))
    with tempfile.TemporaryDirectory() as folder:
        model_folder = Path(folder) / "model"
        model_folder.mkdir()
        model.save(labeller.model, model_folder)
        size = sum(file.stat().st_size for file in model_folder.iterdir()) / 1e6
        load = best_of(lambda: serve.model_fn(str(model_folder)))
        cycle = request_seconds(Path(folder), payload)
    return [
        claim("3.3 million JSON Lines records, two processes, s", seconds),
        claim("bytes to bytes, speed against the bare function", bare / functions),
        claim("request to the local server, speed against the bare function", bare / cycle),
        claim("artefact, MB", size),
        claim("load with tables, s", load),
    ]


def request_seconds(base: Path, payload: bytes) -> float:
    """How long the local model server takes for one request, its client included."""
    listener = socket.create_server(("127.0.0.1", 0))
    environment = {"SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_PROGRAM": "inference.serve"}
    environment["MAX_CONTENT_LENGTH"] = str(2 * PAYLOAD_BYTES)

    def server() -> None:
        os.environ |= environment
        model_server.serve(listener)

    worker = multiprocessing.get_context("fork").Process(target=server, daemon=True)
    worker.start()
    client = Client(listener.getsockname(), 60, 0)
    client.ping()
    seconds = best_of(lambda: client.invoke(payload, serve.CONTENT_TYPE, serve.CONTENT_TYPE))
    client.close()
    worker.terminate()
    worker.join()
    listener.close()
    return seconds


def respond(payload: bytes, labeller: Labeller) -> bytes:
    body = serve.input_fn(payload, serve.CONTENT_TYPE)
    return serve.output_fn(serve.predict_fn(body, labeller), serve.CONTENT_TYPE)[0]


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
            family="linear",
            c=0.05 * 80 ** (trial / 11),
            min_df=1 + trial % 2,
            word_weight=0.5 + trial % 3 * 0.5,
        )
        fitting.fit(given, ~validation, options).margins(given.features[validation])
    train.train(given, BOOK, OPTIONS)
    return time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def claim(name: str, value: float) -> dict:
    return {"claim": name, "value": float(value)}
