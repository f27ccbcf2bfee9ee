"""The commands of `labelmill`: arguments in, sentences and exit codes out.

Each module has `add_parser`, and imports what is slow inside its functions. What a command does is in the
package that it calls. `demo` and `local` are in infra/local, `deploy` and `destroy` in infra/deploy;
../cli.py lists all.

    try_file.py       what a model would do with one's own file
    init.py           codebook and labelmill.toml from that file
    deliver.py        one's own rows checked, sent and followed
    check.py          whether a dataset would be taken
    codebook.py       check, show, compare and publish codebooks
    groups.py         which groups there are; retiring and reviving one
    models.py         winners, their history, and changing them by hand
    compare.py        any two models on rows that both have labelled
    approve.py        yes to a challenger that waits
    reject.py         no to it
    runs.py           what runs and what has run
    watch_runs.py     the same, kept up to date; also of what was delivered
    month.py          how far each group is with a month
    deliveries.py     the datasets that have landed
    order.py          asking the warehouse again
    failures.py       what is not done
    retry.py          starting it again
    dismiss.py        taking it off the list
    explain.py        why a text gets its code
    review.py         sheets for people, out and back: the verbs
    review_out.py     a month's items and blind samples on them
    review_labels.py  likely wrong training labels on them
    review_in.py      what came back on them
    report.py         pages on models and labels, workbooks
    exports.py        models in MLflow and in SageMaker's registry
    audit.py          why an item has its code; a month as a bundle
    plan.py           what a month will cost
    completion.py     what shells complete with
    help.py           how they show help
    arguments.py      arguments that several take
    display.py        how they show text, times and tables
    screen.py         how they show what goes on
    shared.py         what all commands that call AWS share
    target.py         which stack they talk to
    ledger_access.py  what those on the ledger share
    own_columns.py    what those on one's own file share
    approval.py       what approve and reject share
"""
