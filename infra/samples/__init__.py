"""Synthetic datasets, and a client that delivers them: for the demo, the rehearsal and the tests.

No figure measured on them is an accuracy.

    generate.py      items and codebooks
    vocabulary.json  the words they are made of
    deliver.py       publishes a codebook, puts a dataset in the landing bucket
    own_items.py     the sample of docs/own-data.md
"""
