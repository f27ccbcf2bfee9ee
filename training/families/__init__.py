"""The model families among which a search may choose: what `--family` names, one module each.

fitting.py fits the chosen one; what they learn from and how they are saved is the same for all.

    linear.py   the main one: a straight line between each code and the rest
    boosted.py  trees on the linear margins and the attributes, where attributes decide
"""
