"""The road that every file takes: inbox, archive, route, read and check, load.

Reading order: `inbox` (what arrived and is whole), `archive` (the original, kept), `route` (who reads it), `check`
(what is plausible), `blocks` (the days of a series), `reading` (the file's rows, spooled), `road` (all of it).
"""
