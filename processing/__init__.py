"""The jobs that handle rows: they check, split, reconcile, publish and compare, and call no AWS service.

A job is a script that reads folders and writes folders, run by SageMaker as `python3 -m processing.prepare`.
Models are not trained here (training/) nor served here (inference/). Read prepare.py first, then the packages
it uses.

    prepare.py     a delivered dataset becomes rows to train on, or items to label
    publish.py     items and predictions become the labelled files of a month or a test set
    amend.py       published labels and people's decisions become the next version of the labels
    compare.py     two models' labels of one test set become a verdict with its evidence
    dataset/       what is delivered: manifest, files, rows, texts, splits
    codes/         codebooks, and what becomes of a code when they change
    labels/        the labelled rows and their files
    month/         a month's summary: what changed, what needs attention
    verdict/       whether a challenger replaces the winner
    policy.py      what a model group asks of models and labels
    digests.py     whether a file is still the one that was recorded
    container.py   the folders, the message and the exit of a job
    arrays.py      types of numpy arrays
    hashes.py      a number for each text
    octets.py      the bytes of texts
    errors.py      all that can be wrong with a job's input
    spill.py       tables on disk until they are needed again
    words.py       words that messages share
"""
