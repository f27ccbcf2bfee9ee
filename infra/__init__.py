"""The stack: its templates, what deploys it and tries it out, and its imitation on a laptop.

Nothing here is imported by what is deployed. Read template.yaml first.

    template.yaml   the stack: buckets, queues, functions, state machines, roles, alarms
    bootstrap.yaml  what must be there before it: the bucket for code
    delivery.yaml   a pipeline that brings a commit to production
    environments/   the settings of each environment
    deploy/         `labelmill deploy` and `labelmill destroy`
    samples/        synthetic data, and a client that delivers it
    doctor/         `labelmill doctor`: is all there that is needed
    rehearsal/      `labelmill rehearse`: synthetic data through a deployed stack
    results.py      what came of runs, as a client reads it
    local/          AWS imitated on a laptop; never deployed
"""
