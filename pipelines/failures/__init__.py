"""What is not done, wherever it says so, as one list; each entry can be started again or dismissed.

Read listing.py first. A run that failed counts until it has been made again, or newer data took its place.

    listing.py       all of them, by group and cause
    failure.py       one entry, and the stack it is of
    queues.py        messages of a queue, held while they are looked at
    failed_runs.py   executions that failed, and their messages in the failure queue
    orders.py        statements of the warehouse that failed
    dead_letters.py  messages and events that no function took
    undecided.py     models that nothing is being decided upon
    kept_notices.py  what runs could not send
"""
