"""`labelmill rehearse`: synthetic data through a deployed stack, and what that proves of AWS.

For a stack that may be tried out: it publishes a codebook and labels, and makes models. Read run.py first.

    command.py     the command
    run.py         what is delivered, ordered and broken, in which order
    runs.py        runs as any client starts and sees them
    faults.py      a run cut off, a job stopped, keys taken away
    claims.py      what could not be proven without an account
    proofs.py      what AWS's answers prove of it
    history.py     an execution's history as tasks
    cost.py        what it costs
    experiment.py  one of the delivery's experiments with faults, started and waited for
"""
