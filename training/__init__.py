"""Makes models: features from items, a fitted candidate from features, an artefact from that.

Rows come checked and split from processing/; inference/ serves what is made here, with the same features.
docs/classifier.md says why so, with measurements. Read in this order: the scripts, what they learn from, how.

    featurize.py        the script of Featurize: features once, for all trials
    tune.py             the script of a trial: fit, score, print the objective
    train.py            the script of the final training: fit, calibrate, write the artefact
    start.py            runs the last two as the image's start-up needs it

    channels.py         the folders a job is given
    hyperparameters.py  the arguments a job is given
    training_set.py     features, labels and folds that a fit learns from
    shared_rows.py      rows of other groups that a group may learn from

    features.py         what an item is described by
    hashing.py          words, pairs and n-grams as hashes, for whole batches
    quantities.py       numbers with units
    attributes.py       categories and numbers beside the text
    weighting.py        from counts to weighted features

    fitting.py          one setting, fitted
    doubtful.py         rows whose label is likely wrong
    families/           the kinds of model that are tried
    sharing.py          one fit for several groups
    confidence.py       how sure an answer is
    thresholds.py       from which confidence on each code's labels need no person
    short_list.py       the codes that a reviewer is offered
    model.py            the fitted model and its files
"""
