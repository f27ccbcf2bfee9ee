"""What speaks for a label besides the model's confidence: the labelled rows that are most like the item.

For people who review and for auditors, on their own machine; no job uses it. Read neighbours.py first.

    neighbours.py     pure: the rows of a table that are most like given items
    training_rows.py  the rows that a model was trained on, found, read and checked
"""
