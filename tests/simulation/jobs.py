"""Stand-ins for SageMaker's jobs: the files, messages and digests of the real ones, of a few rows.

What keeps people's decisions in labels is the real code; what learns and scores is not: a model is a table
of the texts that it has seen, and the test set is all of them. docs/contracts.md says what each job reads and
writes.
"""

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing.codes import codebook
from processing.codes.codebook import Codebook
from processing.dataset import decisions
from processing.dataset.decisions import DECISION
from processing.errors import NOT_AS_RECORDED
from processing.labels import kept_decisions, label_table, output, standing_decisions
from processing.labels.published import OVERTAKEN, Published
from processing.policy import of_group

Files = dict[str, bytes]
NO_ROWS = "The dataset has no usable row."


@dataclass(frozen=True)
class Job:
    """What a job is given: the files of each input by its name, its arguments, and the time."""

    inputs: dict[str, Files]
    arguments: dict[str, str]
    now: datetime


class Refused(Exception):
    """A known failure; the message is the job's sentence."""


Result = tuple[dict[str, Files], dict[str, Any]]


def run(script: str, job: Job) -> Result:
    """The outputs of a processing job by name, and its message. Raises Refused."""
    return SCRIPTS[script](job)


def text_key(title: str) -> str:
    """Stands for the hash of an item's text."""
    return digest(title)[:16]


def digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def dataset(rows: list[dict[str, str]]) -> Files:
    """The files of a dataset; whoever delivers it writes the manifest last."""
    body = json.dumps(rows).encode()
    entry = {"url": "rows.json", "meta": {"content_length": len(body), "record_count": len(rows)}}
    return {"rows.json": body, "manifest": json.dumps({"entries": [entry]}).encode()}


def _rows(files: Files) -> list[dict[str, str]]:
    [entry] = json.loads(files["manifest"])["entries"]
    if entry["meta"]["content_length"] != len(files["rows.json"]):
        raise Refused("rows.json is not as long as its manifest says.")
    return json.loads(files["rows.json"])


def _prepare(job: Job) -> Result:
    rows, book = _rows(job.inputs["dataset"]), _book(job)
    codes = {code.code for code in book.codes}
    if job.arguments["purpose"] == "training":
        return _prepare_training(job, rows, codes)
    good = [row for row in rows if row["title"]]
    if rows and not good:
        raise Refused("None of the rows is usable.")
    items = [
        {name: row[name] for name in ("item_id", "title")} | {"brand": "", "product_type": ""} for row in good
    ]
    rejected = {"rejected.json": json.dumps([row for row in rows if not row["title"]]).encode()}
    outputs = {
        "items": {"items-00000.jsonl": b"".join(json.dumps(item).encode() + b"\n" for item in items)},
        "truth": {
            "truth.json": json.dumps({row["item_id"]: row.get("label") for row in good}).encode(),
            **rejected,
        },
        "rejected": rejected,
        "report": {"report.json": b"{}"},
    }
    counts = {"rows": len(rows), "rejected": len(rows) - len(good), "items": len(good)}
    return outputs, counts | {"data_digest": digest(json.dumps(rows))}


def _prepare_training(job: Job, rows: list[dict[str, str]], codes: set[str]) -> Result:
    decided = {line["item_id"]: line for line in _reviewed(job)}
    labels = {row["item_id"]: row for row in rows if row["label"] in codes}
    for item, line in decided.items():
        if line["answer"] == "code":
            labels[item] = {"item_id": item, "title": line["title"], "label": line["label"]}
        elif line["answer"] == "none":
            labels.pop(item, None)
    if not labels:
        raise Refused(NO_ROWS)
    canonical = json.dumps(sorted(labels.values(), key=lambda row: row["item_id"]))
    outputs = {
        "train": {"train.json": canonical.encode()},
        "validation": {"validation.json": b"[]"},
        "test": dataset(json.loads(canonical)),
        "rejected": {"rejected.json": b"[]"},
        "report": {"report.json": b"{}"},
        "shared": {},
        "texts": {},
    }
    counts = {"rows": len(rows), "rejected": 0, "train": len(labels), "validation": 1, "test": 1}
    return outputs, counts | {"data_digest": digest(json.dumps(rows)), "rows_digest": digest(canonical)}


def _reviewed(job: Job) -> list[dict[str, Any]]:
    """What people have decided, the latest last; `run` is the sheet."""
    lines = (
        json.loads(line) | {"run": name.partition("/")[0]}
        for name, body in job.inputs["reviewed"].items()
        if name.endswith(".jsonl")
        for line in body.decode().splitlines()
    )
    found = sorted(lines, key=lambda line: line["decided_at"])
    return [
        line | {"decided_at": datetime.fromisoformat(line["decided_at"])}
        for line in found
        if line["answer"] != "skip"
    ]


def _featurize(job: Job) -> Result:
    _book(job)
    files = {"features": dict(job.inputs["train"]), "report": {}}
    return files, {"rows": 1, "shared": 0, "groups": 0, "codes": 1}


def train(features: Files) -> bytes:
    """The artefact of a model."""
    known = {row["title"]: row["label"] for row in json.loads(features["train.json"])}
    return json.dumps(known, sort_keys=True).encode()


def transform(items: Files, artefact: bytes) -> Files:
    """The predictions of a model for all items."""
    known = json.loads(artefact)
    lines = []
    for item in items["items-00000.jsonl"].decode().splitlines():
        row = json.loads(item)
        code = known.get(row["title"], "1")
        sure = digest(row["title"])[0] in "01234567"
        lines.append({"item_id": row["item_id"], "code": code, "sure": sure})
    return {"items-00000.jsonl.out": json.dumps(lines).encode()}


#: What is known of a label before people's decisions are put into it.
LABELS = pa.schema(
    {
        name: label_table.TYPES.get(name, pa.string())
        for name in (*list(label_table.COLUMNS)[:5], "status", "reason", "text_key")
    }
)


def _publish(job: Job) -> Result:
    predictions = json.loads(job.inputs["predictions"].get("items-00000.jsonl.out", b"[]"))
    titles = {
        item["item_id"]: item["title"]
        for item in map(json.loads, job.inputs["items"]["items-00000.jsonl"].decode().splitlines())
    }
    book, period = _book(job), job.arguments["period"]
    in_force, rows = book.in_force(period), []
    for row in predictions:
        usable = row["sure"] and row["code"] in in_force
        rows.append(
            {
                "item_id": row["item_id"],
                "code": row["code"],
                "description": row["code"],
                "confidence": 0.9 if usable else 0.4,
                "second_code": None,
                "status": "labelled" if usable else "review",
                "reason": None if usable else label_table.UNSURE,
                "text_key": text_key(titles[row["item_id"]]),
            }
        )
    labels = pa.Table.from_pylist(rows, LABELS)
    replaced = None
    test_set = job.arguments["purpose"] == "test"
    if not test_set:
        replaced = _published(job.inputs["replaced"], job.arguments["replaced-digest"])
        schema = DECISION.append(pa.field("run", pa.string()))
        made = decisions.latest(pa.Table.from_pylist(_reviewed(job), schema))
        same_text = of_group(job.arguments["policy"]).same_text
        decided = standing_decisions.said(made, replaced, book, period)
        said = standing_decisions.standing(labels, decided, same_text)
        asked = pc.is_valid(said["ended"])
        labels = label_table.replace(labels, asked, {"status": "review"})
        labels, _ = kept_decisions.keep(labels, said, replaced, book, period)
    rejected = json.loads(job.inputs["truth"]["rejected.json"])
    gone = pa.table(
        {
            "item_id": pa.array([row["item_id"] for row in rejected], pa.string()),
            "status": pa.array(["rejected"] * len(rejected), pa.string()),
            "reason": pa.array(["The title is empty."] * len(rejected), pa.string()),
        }
    )
    about = {name: job.arguments[name] for name in ("group", "period", "purpose", "run", "model")}
    about |= {"dataset": job.arguments["dataset-uri"], "codebook_version": book.version}
    truth = json.loads(job.inputs["truth"]["truth.json"])
    about["score"] = sum(row["code"] == truth[row["item_id"]] for row in rows) / max(len(rows), 1)
    constants = {name: about[name] for name in ("period", "run", "model", "dataset", "codebook_version")}
    constants |= {"model_group": about["group"], "labelled_at": job.now}
    table = label_table.assemble([labels, gone], constants, test_set=test_set)
    if table.num_rows != int(job.arguments["rows"]):
        raise Refused("Not every row is there once; nothing is published.")
    given = [kept_decisions.given(replaced), replaced.overtaken] if replaced else []
    return _written(table, about, job, given)


def _amend(job: Job) -> Result:
    before = _published(job.inputs["labels"], job.arguments["labels-digest"])
    if before is None:
        raise Refused(f"There is no output at {job.arguments['amends']}.")
    lines = job.inputs["decisions"]["decisions.jsonl"].decode().splitlines()
    rows = [row | {"decided_at": datetime.fromisoformat(row["decided_at"])} for row in map(json.loads, lines)]
    book = _book(job)
    given = pa.Table.from_pylist(rows, DECISION)
    period, same_text = job.arguments["period"], of_group(job.arguments["policy"]).same_text
    table, decided = kept_decisions.put(before.table, given, book, period)
    given = kept_decisions.with_kept(given, table)
    kept = given.filter(pc.equal(given["kept"], "yes"))
    table, others = kept_decisions.put_for_same_text(table, kept, book, period, same_text)
    constants = {"run": job.arguments["run"], "labelled_at": job.now, "codebook_version": book.version}
    table = label_table.replace(table, pc.or_(decided, others), constants)
    about = {name: value for name, value in before.manifest.items() if name != "files"}
    about |= {
        "run": job.arguments["run"],
        "codebook_version": book.version,
        "amends": job.arguments["amends"],
        "amended_runs": [*before.manifest.get("amended_runs", []), before.manifest["run"]],
    }
    outputs, message = _written(table, about, job, [given, before.overtaken])
    return outputs, message | {"audited": ""}


def _written(table: pa.Table, about: dict[str, Any], job: Job, given: Sequence[pa.Table | None]) -> Result:
    files = {"labels.parquet": _parquet(table)}
    if given and len(left := kept_decisions.overtaken(table, *given)):
        files[OVERTAKEN] = _parquet(left)
    about |= {"rows": table.num_rows, **output.by_status(table)}
    listed = [
        {"name": name, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        for name, body in files.items()
    ]
    manifest = json.dumps(about | {"files": listed}).encode()
    counts = {name: about[name] for name in ("rows", *output.STATUSES)} | {"decided": output.decided(table)}
    outputs = {"files": files, "manifest": {"manifest.json": manifest}}
    message = counts | {"alarms": int(about["review"] > 1), "attention": "Look.", "found": "nothing"}
    message["expected"] = "All right."
    return outputs, message | {"manifest_digest": hashlib.sha256(manifest).hexdigest()}


def _parquet(table: pa.Table) -> bytes:
    body = io.BytesIO()
    pq.write_table(table, body)
    return body.getvalue()


def _compare(job: Job) -> Result:
    """FIRST without a winner, else the better of two wins."""
    _book(job)
    challenger, winner = job.arguments["challenger"], job.arguments["winner"]
    scores = {}
    for role in ("challenger", "winner"):
        labels = _published(job.inputs[role], job.arguments[f"{role}-digest"])
        assert labels
        scores[role] = labels.manifest["score"]
    better = scores["challenger"] > scores["winner"]
    verdict = ("PROMOTE" if better else "KEEP") if winner else "FIRST"
    evidence = json.dumps({"challenger": challenger, "winner": winner, "verdict": verdict}).encode()
    message = {
        **{"verdict": verdict, "reason": "So it is.", "rows": 1, "score": scores["challenger"]},
        **{"winner_score": scores["winner"], "summary": f"{challenger} against {winner or 'nobody'}"},
        "evidence_digest": hashlib.sha256(evidence).hexdigest(),
        "approval": verdict != "KEEP" and json.loads(job.arguments["policy"]).get("approval", False),
    }
    return {"evidence": {"comparison.json": evidence}}, message


SCRIPTS: dict[str, Callable[[Job], Result]] = {
    "processing.prepare": _prepare,
    "training.featurize": _featurize,
    "processing.publish": _publish,
    "processing.amend": _amend,
    "processing.compare": _compare,
}


def _book(job: Job) -> Codebook:
    [body] = job.inputs["codebook"].values()
    if hashlib.sha256(body).hexdigest() != job.arguments["codebook-digest"]:
        raise Refused(f"The codebook {NOT_AS_RECORDED}.")
    return codebook.parse(json.loads(body))


def _published(files: Files, wanted: str) -> Published | None:
    if not wanted:
        return None
    if hashlib.sha256(files["manifest.json"]).hexdigest() != wanted:
        raise Refused(f"The manifest {NOT_AS_RECORDED}.")
    manifest = json.loads(files["manifest.json"])
    for file in manifest["files"]:
        if hashlib.sha256(files[file["name"]]).hexdigest() != file["sha256"]:
            raise Refused(f"{file['name']} of run {manifest['run']} {NOT_AS_RECORDED}.")
    overtaken = pq.read_table(io.BytesIO(files[OVERTAKEN])) if OVERTAKEN in files else None
    return Published(manifest, pq.read_table(io.BytesIO(files["labels.parquet"])), overtaken)
