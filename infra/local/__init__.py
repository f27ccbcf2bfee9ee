"""AWS on this machine: the same template, definitions, functions and jobs, on imitated services.

It stands in for services and never for the workflow, and nothing that is deployed or runs against AWS may
import it. moto answers what it can; what runs code or what moto gets wrong is answered here. Read server.py
first, then stack.py.

The commands:

    command.py            `labelmill local`
    demo.py               `labelmill demo`
    two_months.py         what happens in it
    reviewer.py           its synthetic reviewer
    progress.py           what a person sees meanwhile
    demo_results.py       what it shows at its end
    demo_folder.py        what it leaves, to be gone on with

A stack for a program:

    stack.py              starts and ends the server
    stacks.py             makes the stacks of the templates in it
    endpoint.py           how to reach it
    lock.py               one a folder
    clients.py            how other programs reach it
    follow.py             waits for steps of the flow
    schedules.py          fires a schedule

The server:

    server.py             the process; puts the parts together
    kept_connections.py   HTTP
    front.py              the thin front before moto
    signatures.py         who may talk to it
    error_answers.py      errors as the service asked would answer
    keeping.py            what is kept from one start to the next
    timeline.py           what happens, as a list one can wait on
    executions.py         ended executions as files
    mailbox.py            messages sent to people, as files
    misplaced.py          manifests from which no run starts

The services:

    moto_internals/       everything that reaches into moto
    objects.py            S3's objects as files
    items.py              DynamoDB's items
    delivery.py           messages and events to functions
    functions.py          Lambda
    function_worker.py    the process of one function
    jobs.py               SageMaker's records of jobs and models
    refusals/             what SageMaker refuses, with sources
    sagemaker/            the jobs themselves
    aws_models.py         requests checked against AWS's own description
    logs.py               CloudWatch Logs of jobs
    warehouse.py          Redshift's Data API
    unloading.py          one UNLOAD, by DuckDB
    warehouse_samples.py  synthetic items in its tables
"""
