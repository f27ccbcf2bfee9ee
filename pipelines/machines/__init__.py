"""The state machines' source, compiled to ../definitions by `make definitions`.

It needs the SDKs' own environment (.venv/sdk) and is imported by nothing that runs: an import contract says
so. Jobs and functions that the machines call are in processing/, training/, inference/.
docs/state-machines.md says what they do. Read training.py first.

    compile.py         writes the definitions
    training.py        the training workflow
    training_claim.py  who of several runs learns from the same rows
    training_jobs.py   its jobs
    inference.py       the inference workflow
    inference_jobs.py  its jobs
    labels_record.py   how it records which labels are the newest
    inference_end.py   how it publishes, records and announces
    comparison.py      the comparison workflow
    approval.py        where it waits for a person
    failure_path.py    how every failure ends; the look-up of the group
    capacity.py        a job for which there is no machine: wait, and make it again
    states.py          what all are built of: tasks with timeout, Retry and Catch
"""
