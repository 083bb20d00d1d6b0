"""What the facts add up to, as SQL and arithmetic: daily rollups of series, nights, daily facts, the state of what was dropped.

Reading order: `rollups` (a day of one metric; `totals` and `calendar` beneath it), `nights` (sleep; `sleeps` beneath it),
`facts` (what is told of a day), `daily_facts` (computing and explaining them), `preference` (which device is believed),
`reconciliation` and `rings` (our sums against what the files claim), `freshness` (how long each source has been silent).
"""
