"""A household's books: what money a person has and moves, settled from everything that files tell of it.

Reading order: `retold_rows` (what other rows tell again), `accounts` (which names are one account),
`matching` (`successors`, `tellings` beneath) and `bookings` (which tellings are one booking), `balances` (what is in an
account by day, and whether statements agree); `rulebook` (what the person says; `rulebook_text`, `phrases` beneath it,
`kept_rulebook` beside it), `categories` (`rule_matching` beneath), `transfers` (`pairing`, `transfer_evidence`), `budgets`,
`recurring` (`payees`), `listing`, `meaning` (these together); `rates`, `securities`, `holdings` and `net_worth` (what things
are worth by day); `rows` (what lies behind a day's money); `settling` (all of it).
"""
