"""What a month costs and how long it takes, computed before it runs.

Pure: it reads committed files and calls no service. The command is ../commands/plan.py, the result is
discussed in docs/cost.md. Read month.py first.

    month.py        puts the others together
    definitions.py  which jobs there are, read from the state machines
    groups.py       the model groups and their items
    durations.py    how long a job takes
    usage.py        a month as billed units
    prices.py       what a unit costs
    prices.json     the prices, each with source and date
    standing.py     what the stack costs while nothing runs
    quotas.py       which quota a job counts against, and how much it needs
    measured.py     what a finished run took beside what the plan says of it
    samples.py      what a blind sample takes of people's time
    waiting.py      when all is done, under the account's quotas
    levers.py       what each saving is worth
    errors.py       what can be wrong with what is asked
"""
