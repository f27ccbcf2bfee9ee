"""The codes of each model group: the files, their checks, and how one becomes the group's current codebook.

What jobs make of a published codebook is in processing/codes. docs/codebooks.md has the format. Read read.py
first.

    files/                one example a group, synthetic
    codebook.schema.json  the form of a file
    read.py               a file, read and checked
    check.py              its form and its sense
    crosswalk.py          its codes held against those of other groups that they are the same as
    from_csv.py           made from a list of codes
    changes.py            what is new from one version to the next
    publish.py            make it the group's current one; read what is published
"""
