"""One trial of the tuning job: fit on `train`, score on `validation`, print the objective.

python -m training.tune -C 1.5 --min_df 2
"""

from sklearn.metrics import f1_score

from processing.container import run
from training import features, linear
from training.channels import encode_labels, read_codebook, read_rows
from training.hyperparameters import parser


def main(arguments: list[str] | None = None) -> dict[str, object]:
    options = parser(__doc__).parse_args(arguments)
    book = read_codebook()
    train, validation = read_rows("train"), read_rows("validation")
    codes, labels = encode_labels(train, book)
    counts = features.count(train, book.attributes)
    weighting = features.fit_weighting(counts, options.min_df, options.word_weight)
    weights, intercepts = linear.fit(weighting.apply(counts), labels, len(codes), options.c)
    answers = weighting.apply(features.count(validation, book.attributes)) @ weights + intercepts
    predicted = [codes[i] for i in answers.argmax(axis=1)]
    macro_f1 = f1_score(validation["label"].to_pylist(), predicted, average="macro", zero_division=0)
    print(f"macro_f1={macro_f1:.4f};", flush=True)
    return {"macro_f1": round(macro_f1, 4)}


if __name__ == "__main__":
    run(main)
