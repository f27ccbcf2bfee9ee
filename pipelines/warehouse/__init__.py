"""Which datasets the warehouse is asked for, and in which words.

Who asks is pipelines/handlers/unload.py. What the queries select from is in docs/warehouse.md.

    unload.py  orders, and the UNLOAD statement of each dataset
    queries/   the SELECT of each kind of dataset
"""
