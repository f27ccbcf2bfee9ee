"""Features of train and validation, computed once for all trials of a tuning job.

    python3 -m training.featurize

A processing job: inputs `train`, `validation`, `codebook` and, where the group shares, `shared`; output
`features`.
"""

from processing.container import input_folder, output_folder, run
from training import shared_rows, training_set
from training.channels import read_codebook, read_rows


def main(arguments: list[str] | None = None) -> dict[str, object]:
    book = read_codebook(input_folder("codebook"))
    shared = shared_rows.read(input_folder("shared"), input_folder("codebook"), book)
    made = training_set.build(
        read_rows(input_folder("train")), read_rows(input_folder("validation")), book, shared
    )
    made.save(output_folder("features"))
    return {"rows": len(made.labels), "own": int(made.own.sum()), "codes": len(made.codes)}


if __name__ == "__main__":
    run(main)
