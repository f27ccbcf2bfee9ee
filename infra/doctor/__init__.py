"""`labelmill doctor`: whether all is there that is needed, in an AWS account or on this machine.

It changes nothing. Read account.py first.

    command.py   the command
    account.py   what an account is asked, in which order
    machine.py   what this machine is asked
    quotas.py    what the answers say: service quotas
    stack.py     of what is deployed, from the image to the rules; and the clock
    warehouse.py of the warehouse: there, with our role, and granted
    cron.py      when a schedule runs next
    finding.py   what is found
"""
