"""`labelmill deploy` and `labelmill destroy`: an environment on AWS brought up to date, or taken down.

What is deployed is described by ../template.yaml; docs/deploy.md is for who does it. Read deploy.py first.

    deploy.py     the command that brings it up
    destroy.py    the command that takes it down
    settings.py   what an environment is deployed as
    bundle.py     the code, under one content address
    vpc.py        the state machines for a stack in a VPC
    image.py      the jobs' image: which one, and that it is copied
    copy_image.py what copies it, run by CodeBuild
    changes.py    a change of a stack: led up to, planned, applied
    events.py     what happens to a stack meanwhile
    kept_data.py  what a deleted stack leaves behind: found, erased
    taking_over.py how a new stack takes it over
    cfn_yaml.py   templates as dictionaries
"""
