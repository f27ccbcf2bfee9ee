"""What runs and what has run, for operators. Nothing is changed here.

Read progress.py first. What is not done is in ../failures/, which starts it again, too.

    progress.py  runs: how far each is, and when it should end
    steps.py       an execution's history as steps; pure
    logs.py        what a run's jobs have logged
    watch.py       looking again and again
"""
