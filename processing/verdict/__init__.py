"""Whether a newly trained model replaces the winner: scores, evidence, and the rule.

Reading the two models' labels and writing the result is ../compare.py's. docs/verdicts.md has the rule in
words, with its error rates. Read rule.py first.

    rule.py       the rule's questions, and the verdict and its reason, from evidence and the group's policy
    evidence.py   two models' labels of the same rows, compared text by text
    bootstrap.py  how sure a difference of scores is
    mcnemar.py    an exact test on the texts where only one model is right, and its bounds
    automatic.py  how much each model labels without a person
    scores.py     how good one model is
    figures.py    how the questions, and the report's pages, write figures
    changes.py    what is still wrong, which items and codes would change for users
"""
