"""The road as Dagster shows and runs it. Nothing here reads a file or computes a number: it calls who does.

Reading order, as the data flows: `run_home` (the home of a run), `keys` (how assets are called), `collecting` (providers
that are asked), `intake` (the inbox, one asset per source), `tables` (one asset per table), `bookings`, `facts`, what is made
of them (`projection`, `firefly`, `summaries`, `insights`, `voice`, `news`; `far_sides` says what these may try again), `checks`
(what is looked at beside the road); then what starts runs: `inbox_sensor`, `clockwork`; and what follows them: `failures`,
`housekeeping`. `results`, `figures` and `previews` make what an asset tells about itself: counts and shapes, never
anybody's data, for Dagster keeps its events unencrypted; `collecting` alone shows words of providers, made harmless.
`from __future__ import annotations` is left out here: Dagster reads the annotations of its functions.
"""
