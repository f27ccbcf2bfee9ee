"""What a month's labels amount to, and what of it needs attention.

The labels themselves are in ../labels. Read summary.py first: it calls the others.

    summary.py        the summary beside the labels
    month_changes.py  counts and items whose code is another than in the latest earlier month
    history.py        the figures of the last twelve months, handed on from summary to summary
    moves.py          a month's figures against those before
    drift.py          how far months differ: a distance, and a sequential test
    attention.py      the checks, each with its threshold and its sentence
"""
