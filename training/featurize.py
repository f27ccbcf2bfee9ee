"""Features of train and validation, computed once for all trials of a tuning job.

    python3 -m training.featurize --share-by unu --codebook-digest 2c26b46b68ffc68ff99b453c1d304134...

A processing job: inputs `train`, `validation`, `codebook`, `shared` (rows of groups that share by the list;
none where the group does not); output `features`.
"""

import argparse

from processing.codes import codebook
from processing.container import input_folder, output_folder, run
from training import shared_rows, training_set
from training.channels import read_rows


def main(arguments: list[str] | None = None) -> dict[str, object]:
    parser = argparse.ArgumentParser(prog="training.featurize", description=__doc__.splitlines()[0])
    parser.add_argument("--share-by", required=True, help="list of references to share by, or none")
    parser.add_argument("--codebook-digest", required=True, help="SHA-256 of the codebook, hex")
    options = parser.parse_args(arguments)
    book = codebook.load(input_folder("codebook"), options.codebook_digest)
    train, validation = read_rows(input_folder("train")), read_rows(input_folder("validation"))
    codes = {*train["label"].to_pylist(), *validation["label"].to_pylist()}
    others = shared_rows.read(input_folder("shared"), book, codes, options.share_by)
    made = training_set.build(train, validation, book, others)
    made.save(output_folder("features"))
    own = int(made.own.sum())
    return {"rows": own, "shared": len(made.labels) - own, "groups": len(others), "codes": len(made.codes)}


if __name__ == "__main__":
    run(main)
