"""What a month's labels amount to, and what of it needs attention.

The labels themselves are in ../labels. Read summary.py first: it calls the others.

    summary.py        the summary beside the labels
    month_changes.py  counts and items whose code is another than in the latest earlier month
    drift.py          how far two months differ
    attention.py      the checks, each with its threshold and its sentence
"""
