"""Why an item has its code, and a month's labels with all they rest on: for auditors, years later.

Everything is read by the digest that was recorded, or by its version, and nothing that a later month changes:
the same labels give the same page and the same bundle. The command is ../commands/audit.py. Read item.py.

    sources.py  objects read from S3, each with its SHA-256 and what vouches for it
    month.py    one version of a month's labels, and what it rests on
    item.py     all that is known of one item's label
    bundle.py   a month as one ZIP that `sha256sum -c` checks
"""
