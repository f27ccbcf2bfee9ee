"""What runs, what has landed and how far a month is, for operators. Nothing is changed here.

Read progress.py first. What is not done is in ../failures/, which starts it again, too.

    progress.py    runs: how far each is, and when it should end
    steps.py       an execution's history as steps; pure
    logs.py        what a run's jobs have logged
    watch.py       looking again and again
    outcome.py     what has come of a dataset: a verdict, or labels
    deliveries.py  datasets in the landing bucket, and what became of each
    month.py       how far each group is with a month, and when that is due; pure
"""
