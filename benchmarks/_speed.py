"""Speeds, CPU seconds and memory: figures for a machine that does nothing else."""

import multiprocessing
import os
import re
import socket
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from _items import BOOK, OPTIONS, as_given, claim, fit_ours, medians, note, side_by_side
from _peers import PEERS

from inference import jsonlines, serve
from inference.predict import Labeller
from infra.local.sagemaker import serving as model_server
from infra.local.sagemaker.invocations import Client
from training import fitting, model, train

RECORDS = 3_300_000
PAYLOAD_BYTES = 6_000_000
TRIALS = 12


def measure(
    table: pa.Table, items: pd.DataFrame, test: np.ndarray, peers: list[str]
) -> tuple[list[dict], list[dict]]:
    """Items a second from strings to codes, each peer in the first setting of its grid; and single claims."""
    given = table.filter(pa.array(test))
    note("Labelmill")
    labeller, seconds = timed(lambda: fit_ours(table.filter(pa.array(~test))))
    rows = [speed("Labelmill", seconds, labeller.label, pa.concat_tables([given] * 6))]
    labels, texts = items["product_category"].to_numpy(), items["text"].to_numpy(object)
    for name in peers:
        note(name)
        fit, grid = PEERS[name]
        predict, seconds = timed(lambda: fit(texts[~test].tolist(), labels[~test], **grid[0]))  # noqa: B023
        rows.append(speed(name, seconds, predict, texts[test].tolist()))
    note("single claims")
    return rows, [*serving(labeller, given), *training_cost(table.filter(pa.array(~test)))]


def timed(function) -> tuple[Any, float]:
    started = time.process_time()
    made = function()
    return made, time.process_time() - started


def speed(name: str, seconds: float, predict, given) -> dict:
    [one] = medians(lambda: predict(given))
    [two] = medians(lambda: side_by_side(predict, given))
    return {
        "classifier": name,
        "fit, cpu s": seconds,
        "items/s, 1 process": len(given) / one,
        "items/s, 2 processes": 2 * len(given) / two,
    }


def serving(labeller: Labeller, given: pa.Table) -> list[dict]:
    """The container's functions on JSON Lines payloads of 6 MB; size and load of the artefact."""
    payload = request_body(given)
    per_payload = payload.count(b"\n")
    n_payloads = RECORDS // per_payload // 2 + 1
    started = time.perf_counter()
    side_by_side(lambda body: [respond(body, labeller) for _ in range(n_payloads)], payload)
    seconds = (time.perf_counter() - started) * RECORDS / (2 * n_payloads * per_payload)
    items = jsonlines.read(payload, jsonlines.schema(()))
    with tempfile.TemporaryDirectory() as folder:
        model_folder = Path(folder) / "model"
        model_folder.mkdir()
        model.save(labeller.model, model_folder)
        size = sum(file.stat().st_size for file in model_folder.iterdir()) / 1e6
        [load] = medians(lambda: serve.model_fn(str(model_folder)))
        with local_server(Path(folder)) as client:
            bare, functions, cycle = medians(
                lambda: labeller.label(items),
                lambda: respond(payload, labeller),
                lambda: client.invoke(payload, serve.CONTENT_TYPE, serve.CONTENT_TYPE),
            )
    return [
        claim("3.3 million JSON Lines records, two processes, s", seconds),
        claim("bytes to bytes, speed against the bare function", bare / functions),
        claim("request to the local server, speed against the bare function", bare / cycle),
        claim("artefact, MB", size),
        claim("load with tables, s", load),
    ]


def request_body(given: pa.Table) -> bytes:
    """JSON Lines of the items, over again until they are 6 MB."""
    lines = given.select(["title", "brand", "product_type"]).to_pandas()
    lines.insert(0, "item_id", np.arange(len(lines)).astype(str))
    body = lines.to_json(orient="records", lines=True, force_ascii=False).encode()
    records = body.splitlines(keepends=True)
    return b"".join((records * 10)[: PAYLOAD_BYTES * len(records) // len(body)])


@contextmanager
def local_server(base: Path) -> Iterator[Client]:
    """A client of the local model server with the model in `base / "model"`."""
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
    yield client
    client.close()
    worker.terminate()
    worker.join()
    listener.close()


def respond(payload: bytes, labeller: Labeller) -> bytes:
    body = serve.input_fn(payload, serve.CONTENT_TYPE)
    return serve.output_fn(serve.predict_fn(body, labeller), serve.CONTENT_TYPE)[0]


def training_cost(rows: pa.Table) -> list[dict]:
    """20,000 rows and 40 codes: features, 12 trials, calibration and refit, in a process of its own."""
    rows = rows.take(np.random.default_rng(0).choice(len(rows), 20_000, replace=False))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, megabytes = pool.apply(tune_and_train, [rows])
    return [
        claim("20,000 rows, 12 trials, calibration, refit, cpu s", seconds),
        claim("the same, peak memory, MB", megabytes),
    ]


def tune_and_train(rows: pa.Table) -> tuple[float, float]:
    started = time.process_time()
    given = as_given(rows)
    validation = given.fold == 0
    for trial in range(TRIALS):
        options = Namespace(
            family="linear",
            c=0.05 * 80 ** (trial / (TRIALS - 1)),
            min_df=1 + trial % 2,
            word_weight=0.5 + trial % 3 * 0.5,
            first_word_weight=0.7,
        )
        fitting.fit(given, ~validation, options).margins(given.features[validation])
    train.train(given, BOOK, OPTIONS)
    return time.process_time() - started, peak_megabytes()


def peak_megabytes() -> float:
    """This process's own peak: getrusage's may be that of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024
