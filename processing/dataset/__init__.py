"""What is delivered: a dataset's manifest and files, its rows and texts, and how they are split.

Codes are understood in ../codes, labels are written in ../labels. Read accept.py, data_files.py, rows.py,
then split.py.

    accept.py           whether a dataset is taken, and the rows it gives
    in_parts.py         the same for a month's items, in bounded memory
    repeated_ids.py     which of its ids have several rows
    check.py            the same for people, before it is sent
    kinds.py            all that can be found in one: what becomes of it, and what puts it right
    findings.py         what a reader says of a file beside its rows
    manifest.py         the list of a dataset's files, as Redshift's UNLOAD writes it
    data_files.py       all files of a dataset as one table
    readers.py          one file of any format
    csv_files.py        one CSV
    csv_header.py       its first row: the separator and the columns
    csv_quotes.py       its quotes
    jsonlines_files.py  one file of JSON Lines
    jsonlines_check.py  whether each of its lines is one object
    parquet_files.py    one Parquet file
    parquet_check.py    whether it can be read, and in bounded memory
    text_files.py       a text file's bytes
    lent.py             Python's bytes, read by a thread of Arrow's and given back
    columns.py          the columns a file must have
    numbers.py          numbers that are text, with decimal points or commas
    doubly_encoded.py   texts that were encoded twice, repaired
    rows.py             which rows are set aside, and the canonical form of the others
    no_title.py         what stands where there is no title
    rows_set_aside.py   what is told of those that are set aside
    doubtful_rows.py    what is told of those whose label is likely wrong
    text.py             the normal form of texts, and the key of each
    split.py            train, validation or test, by that key
    decisions.py        reviewers' decisions as rows
    hard_texts.py       texts that no model learns from and each is tried on by name
    first_seen.py       since when each text has been among a group's labelled rows
    rows_to_share.py    rows that other groups may learn from
    training_report.py  what Prepare reported of a model's rows
    jsonlines.py        JSON Lines from and to tables
"""
