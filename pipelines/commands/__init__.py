"""The commands of `labelmill`: arguments in, sentences and exit codes out.

Each module has `add_parser`, and imports what is slow inside its functions. What a command does is in the
package that it calls. `demo` and `local` are in infra/local, `deploy` and `destroy` in infra/deploy;
../cli.py lists all.

    check.py          whether a dataset would be taken
    codebook.py       check, show, compare and publish codebooks
    groups.py         which groups there are; retiring and reviving one
    models.py         winners, their history, and changing them by hand
    approve.py        yes to a challenger that waits
    reject.py         no to it
    failures.py       what is not done
    retry.py          starting it again
    dismiss.py        taking it off the list
    explain.py        why a text gets its code
    review.py         the sheet of uncertain items, out and back
    report.py         pages on comparisons, labels and periods
    plan.py           what a month will cost
    shared.py         what all commands that call AWS share
    target.py         which stack they talk to
    ledger_access.py  what those on the ledger share
    approval.py       what approve and reject share
"""
