"""Review by people: uncertain labels go out on a sheet, decisions come back from it.

Which labels are uncertain was decided when they were published (processing/labels/review_queue.py); the
amended version is made by processing/amend.py. Read published.py first.

    published.py  a month's labels and the items they are of
    queue.py      which rows go out, in which order
    families.py   which items are decided on together, and how
    sheet.py      the sheet: CSV or Excel
    labelling.py  what the page to label on has
    sample.py     a blind sample of labels that nobody has seen
    second.py     some rows of a sheet for a second reviewer
    training_labels.py  training labels that are likely wrong, and what is said of them
    decisions.py  the filled sheet: checked, recorded, sent on
"""
