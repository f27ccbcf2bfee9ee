"""Serves a fitted model: items in, codes and confidences out, a batch at a time.

Nothing is learned here; features, weights and confidence are those of training/. The package travels inside
each model's artefact, so last year's winner runs as it did. Read in this order.

    serve.py      the four functions that SageMaker calls
    jsonlines.py  requests and answers
    predict.py    labels for a batch
    tables.py     the model's weights as tables that are looked up
    lookup.py     from hashes to rows of a table
    explain.py    why an item gets its code; for `labelmill explain`, not for serving
"""
