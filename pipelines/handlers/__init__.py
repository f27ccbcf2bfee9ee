"""The Lambda functions, each named as in the template.

They import the standard library and boto3 only. They decide what is to start and start it: the work is done
by state machines and jobs. Read start_training.py first.

    start_training.py    a training dataset has landed
    start_inference.py   a dataset to label has landed
    test_model.py        a model was trained: let it label its test set, or do what is still missing
    start_comparison.py  a test set was labelled: compare, when both models have done so
    unload.py            datasets were ordered from the warehouse
    statement_failed.py  the warehouse could not unload one
    statement_finished.py  the warehouse has unloaded one, or found no rows
    check_month.py       once an hour: what was kept, which groups are not done with the month

What they share:

    batch.py             messages of a batch, each taken by itself
    landing.py           notifications of S3
    deciding.py          what comes next for a challenger until it is decided upon
    ledger.py            what they read in the ledger
    notices.py           what runs could not send: sending it after all
    clients.py           boto3 clients, made at the first call
    logs.py              what every log line says
"""
