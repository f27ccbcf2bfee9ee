"""What is delivered: a dataset's manifest and files, its rows and texts, and how they are split.

Codes are understood in ../codes, labels are written in ../labels. Read data_files.py, rows.py, then split.py.

    manifest.py         the list of a dataset's files, as Redshift's UNLOAD writes it
    data_files.py       all files of a dataset as one table
    readers.py          one file of any format
    diagnose.py         which row of a bad file is wrong
    rows.py             which rows are set aside, and the canonical form of the others
    rows_set_aside.py   what is told of those that are set aside
    text.py             the normal form of texts, and the key of each
    split.py            train, validation or test, by that key
    decisions.py        reviewers' decisions as rows
    rows_to_share.py    rows that other groups may learn from
    training_report.py  what Prepare reported of a model's rows
    jsonlines.py        JSON Lines from and to tables
"""
