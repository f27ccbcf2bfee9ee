"""The winner ledger: which model labels a group's items, who decided so, and changing it by hand.

State machines write most of it (pipelines/machines), handlers read it for themselves (handlers/ledger.py).
docs/ledger.md describes the items. Read reading.py first.

    keys.py      the sort keys
    reading.py   all of a group, read at once
    changing.py  a decision by hand, and its one write
    items.py     a decision and its winner as items, and their transaction; commands and state machines use it
    artefact.py  a model's files, fetched for inspection
"""
