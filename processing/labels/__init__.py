"""The labelled rows of a month or a test set: made, checked for completeness, and written as files.

What a month's labels amount to is in ../month. Read labelling.py, which goes through a month, then
label_table.py and output.py.

    labelling.py           a month's labels, made part by part
    text_keys.py           what Prepare knows of each item and the model need not see
    reconcile.py           each item has its one prediction, or nothing is published
    label_table.py         the rows of the labels file, and the file as Parquet and CSV
    reliability.py         how often the model was right lately, where the truth is known
    audit.py               how many are right, by a blind sample of them
    agreement.py           how far two people agree who coded the same rows
    exact.py               exact bounds of what is wrong, from a sample
    review_queue.py        which labels a person must look at
    without_person.py      what could be labelled without one, what stands in the way, what helps
    advice.py              the same in sentences
    standing_decisions.py  what people have said of a month's items, in whichever month
    families.py            which items differ only in size, colour and the like
    csv_guard.py           no formula in a CSV, and the text back from it
    kept_decisions.py      people's decisions put into labels
    published.py           labels that were published before
    output.py              all files of an output, with their manifest
"""
