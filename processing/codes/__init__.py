"""Codebooks as the jobs read them, and what becomes of a code when a codebook changes.

Whether a codebook is good is checked before it is published: pipelines/codebooks. Read codebook.py first.

    codebook.py     codes, when each is in force, attributes
    successions.py  which code takes a code's place: renamed, merged, split
    recode.py       the same for whole columns
    reserved.py     names that no attribute may have
"""
