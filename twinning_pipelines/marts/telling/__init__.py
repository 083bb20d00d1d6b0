"""What of a person's day, week or month is worth telling, and why: each fact with what it is measured against.

`worth_telling` in `choosing` is the door. `told` says what a told fact is, `judging` is pure arithmetic, `histories`, `dues`
and `silences` read the database, `goals` a person's own file.
"""
