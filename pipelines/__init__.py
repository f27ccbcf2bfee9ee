"""What runs when: state machines, Lambda functions, the winner ledger, codebooks, and the command line.

What the jobs do with rows and models is in processing/, training/ and inference/; what is deployed, and the
local run, in infra/. docs/architecture.md shows how they fit together.

    cli.py        the command line, `labelmill`
    commands/     one module for each command
    machines/     the state machines' source; compiled, imported by nothing that runs
    definitions/  the state machines as JSON: what is deployed
    handlers/     the Lambda functions
    own_data/     a person's own file: tried, described, delivered
    failures/     what is not done, and starting it again
    audit/        why an item has its code; a month and all it rests on, as a bundle
    monitoring/   what runs, what has landed, how far a month is
    ledger/       which model won when, and changing that by hand
    codebooks/    the codes of each group: files, checks, publishing
    evidence/     the training rows that are most like an item
    review/       uncertain labels and blind samples out to people, decisions back
    warehouse/    which datasets the warehouse is asked for
    report/       pages on models, labels, months and items; workbooks of labels
    exports/      models and scores in other systems
    plan/         what a month costs and how long it takes
    messages.py   every text that people get by SNS
    names.py      how groups, runs and models are named, and where in S3 everything lies
    runs.py       name and input of every execution
    executions.py starting them, each at most once
    stack.py      the names of a deployed stack's resources
    workbook.py   Excel workbooks, row by row: a text stays a text
    errors.py     the errors of the command line
"""
