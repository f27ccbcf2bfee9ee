"""A person's own file: what its columns are, what a model would do with it, and how it becomes a dataset.

The commands are ../commands/try_file.py, init.py and deliver.py. Read tables.py, then columns.py.

    tables.py     CSV, Excel, Parquet and JSON Lines as a table under the file's own names
    columns.py    which column is which: as somebody says, by its name, by what is in it
    trial.py      trains on the labelled rows and measures
    sentences.py  what that says
    needed.py     how many rows a comparison takes
    draft.py      a first codebook from the codes that are there
    settings.py   labelmill.toml: a person's columns and groups
    dataset.py    rows of one group as data file and manifest
    group_rows.py the rows of each group, as datasets on this machine
    sending.py    the upload, the manifest last
"""
