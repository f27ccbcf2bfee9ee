"""Features of train and validation, computed once for all trials of a tuning job.

    python3 -m training.featurize --period 2026-11 --share-by unu --policy '{}' --codebook-digest 2c26b46b...

A processing job: inputs `train`, `validation`, `codebook`, `reviewed` (people's decisions), `shared` (rows of
groups that share by the list; none where the group does not); outputs `features`, and `report` beside
Prepare's: the codes that only other groups' rows have, and what was found of wrong labels (doubtful.py).
"""

import argparse
from dataclasses import replace

import pyarrow as pa

from processing import policy as policies
from processing.codes import codebook
from processing.container import input_folder, output_folder, run
from processing.dataset import training_report
from training import doubtful, shared_rows, training_set
from training.channels import read_rows


def main(arguments: list[str] | None = None) -> dict[str, object]:
    parser = argparse.ArgumentParser(prog="training.featurize", description=__doc__.splitlines()[0])
    parser.add_argument("--period", required=True, help="YYYY-MM; codes in force in it are learned")
    parser.add_argument("--share-by", required=True, help="list of references to share by, or none")
    parser.add_argument("--codebook-digest", required=True, help="SHA-256 of the codebook, hex")
    parser.add_argument("--policy", required=True, help="of the group, JSON")
    options = parser.parse_args(arguments)
    book = codebook.load(input_folder("codebook"), options.codebook_digest)
    train, validation = read_rows(input_folder("train")), read_rows(input_folder("validation"))
    in_force = set(book.in_force(options.period))
    others = shared_rows.read(input_folder("shared"), book, in_force, options.share_by)
    made = training_set.build(train, validation, book, others)
    own = pa.concat_tables([train, validation])
    found = doubtful.find(made)
    leaves_out = policies.of_group(options.policy).doubtful == policies.LEAVE_OUT
    decided = doubtful.decided(own, input_folder("reviewed"), book.group)
    if leaves_out:
        made = replace(made, left_out=doubtful.to_leave_out(made, found, decided))
    made.save(output_folder("features"))
    training_report.write_borrowed(made.borrowed, output_folder("report"))
    doubtful.write(own, made, found, decided, output_folder("report"))
    return {
        "rows": len(own),
        "shared": len(made.labels) - len(own),
        "groups": len(others),
        "codes": len(made.codes),
        "left_out": int(made.left_out.sum()),
    }


if __name__ == "__main__":
    run(main)
