"""What the facts add up to, as SQL: daily rollups of series, daily facts, the state of what was dropped.

Reading order: `rollups` (a day of one metric), `facts` (what is told of a day), `daily_facts` (computing and explaining
them), `reconciliation` (our sums against what the files claim), `freshness` (how long each source has been silent).
"""
