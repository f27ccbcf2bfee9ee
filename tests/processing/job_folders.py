"""Real job folders: write inputs, run a job's main as the container would, read what it wrote."""

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from processing import container
from processing.dataset import manifest
from processing.dataset.text import text_keys
from processing.digests import sha256

GROUP, PERIOD = "DE-weee", "2026-10"
DATASET = "s3://landing/training/DE-weee/2026-10/d1/"
DELIVERED = "2026-11-01T02:00:00.123Z#v1"
#: The labels that a sheet's decisions are put into.
AMENDS = "s3://labelled/labels/DE-weee/2026-10/r1/"
TEST_SET = "s3://work-bucket/runs/DE-weee/r1/test/"
CODEBOOK = {
    "group": GROUP,
    "version": "2026-10",
    "language": "de",
    "source": "synthetic sample",
    "attributes": [{"name": "weight_kg", "type": "number"}, {"name": "material", "type": "category"}],
    "codes": [
        {"code": code, "description": name, "valid_from": since, "valid_to": until, "critical": False}
        for code, name, since, until in (
            ("1", "Wärmeüberträger", "2018-08-15", None),
            ("2", "Bildschirme", "2018-08-15", None),
            ("3", "Lampen", "2018-08-15", "2026-09-30"),
            ("3a", "Leuchtmittel", "2026-10-01", None),
            ("9", "Altes", "2018-08-15", "2020-12-31"),
        )
    ],
    "successions": [{"kind": "renamed", "from": ["3"], "to": ["3a"], "date": "2026-10-01"}],
}
NONE_SET_ASIDE = {"rows": 0, "of": 400, "problems": {}, "first": None, "codes": {}}
#: What a summary says of people's decisions where nobody has decided anything.
NOBODY = dict.fromkeys(
    ("kept", "by_text", "by_family", "suggested", "earlier", "renamed", "ended", "not_kept"), 0
)
#: When people decided.
WHEN, LATER = "2026-11-02T10:00:00.000+00:00", "2026-11-03T10:00:00.000+00:00"
COLUMNS = {
    "item_id": "text",
    "title": "text",
    "brand": "text",
    "product_type": "text",
    "weight_kg": "number",
    "material": "text",
}


class JobFailed(Exception):
    """The job ended with a known failure; the text is the sentence it left."""


@dataclass
class Job:
    """One job's base folder."""

    base: Path
    delivered: int = 0  # rows of the dataset, for Publish
    codebook_digest: str = ""  # as it was published

    def input(self, name: str) -> Path:
        folder = self.base / "processing" / "input" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def output(self, name: str) -> Path:
        return self.base / "processing" / "output" / name

    def codebook(self, content: dict = CODEBOOK) -> None:
        path = self.input("codebook") / f"{content['version']}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        self.codebook_digest = sha256(path)

    def trained(
        self,
        period: str = PERIOD,
        codes: tuple[str, ...] = ("1", "2", "3a"),
        unclear: tuple[str, ...] = (),
        name: str = "trained",
    ) -> None:
        """What Prepare reported of the model's training: its month, codes it saw, codes not clear."""
        splits = {part: {"codes": dict.fromkeys(codes, 10)} for part in ("train", "validation", "test")}
        report = {
            "period": period,
            "splits": splits,
            "unclear_codes": dict.fromkeys(unclear, 10),
            "set_aside": NONE_SET_ASIDE,
            "reviewed": {"conflicts": {"rows": 0, "first": []}},
        }
        text = json.dumps(report)
        (self.input(name) / "report.json").write_text(text, encoding="utf-8")

    def dataset(self, files: dict[str, tuple[bytes, int]], uri: str = DATASET) -> None:
        """Deliver files, given as content and number of rows, with the manifest that belongs to them."""
        folder = self.input("dataset")
        for name, (content, _) in files.items():
            (folder / name).write_bytes(content)
        manifest.write(folder, uri, {name: rows for name, (_, rows) in files.items()}, COLUMNS)

    def run(self, main, **arguments: str) -> dict:
        """The message of a job that succeeds. Raises JobFailed with its failure."""
        arguments = {"codebook_digest": self.codebook_digest} | arguments
        given = [part for name, value in arguments.items() for part in ("--" + name.replace("_", "-"), value)]
        try:
            container.run(main, given)
        except SystemExit as end:
            assert end.code == 1
            sentence = (self.base / "output" / "failure").read_text(encoding="utf-8")
            assert (self.base / "output" / "message").read_text(encoding="utf-8") == sentence
            raise JobFailed(sentence) from None
        return json.loads((self.base / "output" / "message").read_text(encoding="utf-8"))

    def prepare(self, purpose: str = "training", uri: str = DATASET) -> dict:
        from processing import prepare

        more = {"test_uri": TEST_SET, "delivered": DELIVERED} if purpose == "training" else {}
        return self.run(
            prepare.main, group=GROUP, period=PERIOD, purpose=purpose, run="r1", dataset_uri=uri, **more
        )

    def rejected(self) -> list[dict]:
        return from_jsonl(self.output("rejected") / "rejected.jsonl")

    def items(self) -> list[dict]:
        return [item for path in sorted(self.output("items").iterdir()) for item in from_jsonl(path)]

    def published(self) -> list[dict]:
        """The labels that Publish or Amend wrote."""
        return pq.read_table(self.output("files") / "labels.parquet").to_pylist()

    def labels_digest(self, name: str) -> str:
        """What the ledger has of the published labels in the input `name`; empty where there are none."""
        path = self.input(name) / "manifest.json"
        return sha256(path) if path.is_file() else ""

    def report(self) -> dict:
        return json.loads((self.output("report") / "report.json").read_text(encoding="utf-8"))


def items(count: int = 400, labelled: bool = True) -> list[dict]:
    """Good rows, synthetic, each with a text of its own."""
    kinds = (("1", "Kühlschrank"), ("2", "Monitor"), ("3a", "LED-Lampe"))
    rows = []
    for number in range(count):
        label, word = kinds[number % 3]
        row = {
            "item_id": f"{number:06d}",
            "title": f"{word} Modell {number}",
            "brand": "Muster" if number % 4 else "",
            "product_type": "Gerät",
            "weight_kg": number / 7 if number % 5 else None,
            "material": "Stahl" if number % 2 else None,
        }
        rows.append(row | {"label": label} if labelled else row)
    return rows


def decision(number: int, label: str | None = None, answer: str = "code", **more) -> dict:
    """A person's answer on one of `items`, by default the code `label`."""
    item = items(number + 1)[number]
    (text_key,) = text_keys(GROUP, pa.Table.from_pylist([item])).to_pylist()
    said = {"answer": answer, "label": label, "suggested": "1", "why": None, "text_key": text_key}
    return item | said | {"decided_by": "A. Muster", "decided_at": WHEN} | more


def month() -> list[dict]:
    """Six items, and a seventh row that is rejected."""
    rows = items(7, labelled=False)
    rows[6]["title"] = ""
    return rows


def answer(item: dict, number: int, code: str = "1") -> dict:
    """The model's answer on one of `month`: the first three are for review."""
    output = {"code": code, "confidence": 0.9 - number / 100, "second_code": "2", "second_confidence": 0.05}
    return {"item_id": item["item_id"], "SageMakerOutput": output | {"review": number < 3}}


def copy_output(job: Job, folder: Path) -> None:
    """What a job has published becomes the input of another one."""
    for path in (*job.output("files").iterdir(), *job.output("manifest").iterdir()):
        (folder / path.name).write_bytes(path.read_bytes())


def read_json(job: Job, folder: str, name: str) -> dict:
    return json.loads((job.output(folder) / name).read_text(encoding="utf-8"))


def as_jsonl(rows: list[dict]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def from_jsonl(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
