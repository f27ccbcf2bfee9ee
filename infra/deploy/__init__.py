"""`labelmill deploy` and `labelmill destroy`: an environment on AWS brought up to date, or taken down.

What is deployed is described by ../template.yaml; docs/deploy.md is for who does it. Read deploy.py first.

    deploy.py     the command that brings it up
    destroy.py    the command that takes it down
    settings.py   what an environment is deployed as
    bundle.py     the code, under one content address
    vpc.py        the state machines for a stack in a VPC
    changes.py    a change of a stack: planned, shown, applied
    kept_data.py  what a deleted stack leaves behind
"""
