"""How the installation itself is, as numbers for Prometheus: files, rows, freshness, queues, runs, checks, sizes.

gauges      the list of all of them: name, labels, meaning, and the part that answers for each
ledger      what the ledger, the queues of days and the summaries say
outboxes    what waits for the outside world
asking      asks the parts at most once in a while; one that fails costs the others nothing
exposition  the answers as text or JSON
serving     the same over HTTP
"""
