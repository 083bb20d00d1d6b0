"""Two tellings of the same days, sample by sample: what is stored beside what a file says."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from twinning_pipelines.records.digest import digests

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_KEY = ("block", "started_at", "ended_at")


class Matched(Struct, frozen=True):
    """Rows of `stored` and `told` that are the same sample: the k-th pair is `in_stored[k]` and `in_told[k]`.

    A sample is known by block, beginning, end, and its occurrence among equals. `equal`: both say the same of it.
    """

    stored: pa.Table
    told: pa.Table
    in_stored: Numbers
    in_told: Numbers
    equal: Mask
    stored_only: Numbers
    told_only: Numbers

    def merged(self, stored_wins: Mask) -> pa.Table:
        """Every sample once, in order; of a pair what the file tells, unless the stored one wins."""
        both = pa.concat_tables([self.stored, self.told]).combine_chunks()
        shift = self.stored.num_rows
        chosen = np.where(stored_wins, self.in_stored, self.in_told + shift)
        kept = np.concatenate([self.stored_only, chosen, self.told_only + shift])
        # A pair stands where the stored one stood, so that occurrences keep their numbers.
        place = np.concatenate([self.stored_only, self.in_stored, self.told_only + shift])
        block, started, ended = (both.column(name).to_numpy()[kept] for name in _KEY)
        return both.take(pa.array(kept[np.lexsort((place, ended, started, block))]))

    def changed_blocks(self, stored_wins: Mask) -> Numbers:
        """The blocks in which anything changes, be it only which file is named as the origin."""
        stored, told = (table.column("block").to_numpy() for table in (self.stored, self.told))
        other_file = (
            self.stored.column("file").to_numpy()[self.in_stored] != self.told.column("file").to_numpy()[self.in_told]
        )
        moved = ~stored_wins & (other_file | ~self.equal)
        return np.unique(np.concatenate([stored[self.in_stored[moved]], told[self.told_only]]))


def match(stored: pa.Table, told: pa.Table) -> Matched:
    """Pairs two tables of `chunks.ROWS`, each in order of block, beginning, end and occurrence."""
    keys = [np.concatenate([table.column(name).to_numpy() for table in (stored, told)]) for name in _KEY]
    keys.append(np.concatenate([_occurrences(stored), _occurrences(told)]))
    is_told = np.concatenate([np.zeros(stored.num_rows, bool), np.ones(told.num_rows, bool)])
    order = np.lexsort((is_told, *reversed(keys)))
    twin = np.logical_and.reduce([np.diff(key[order]) == 0 for key in keys]) if len(order) else np.zeros(0, bool)
    in_stored, in_told = order[:-1][twin], order[1:][twin] - stored.num_rows
    said = [_said(table) for table in (stored, told)]
    return Matched(
        stored=stored,
        told=told,
        in_stored=in_stored,
        in_told=in_told,
        equal=said[0][in_stored] == said[1][in_told],
        stored_only=np.setdiff1d(np.arange(stored.num_rows), in_stored),
        told_only=np.setdiff1d(np.arange(told.num_rows), in_told),
    )


def _occurrences(rows: pa.Table) -> Numbers:
    """The number of each row among its neighbours with the same key, from 0."""
    if not rows.num_rows:
        return np.zeros(0, np.int64)
    keys = [rows.column(name).to_numpy() for name in _KEY]
    is_first = np.concatenate(([True], np.logical_or.reduce([np.diff(key) != 0 for key in keys])))
    places = np.arange(rows.num_rows)
    numbers: Numbers = places - np.maximum.accumulate(np.where(is_first, places, 0))
    return numbers


def _said(rows: pa.Table) -> "npt.NDArray[np.uint64]":
    batches = rows.combine_chunks().to_batches()
    return digests(batches[0], ("value", "label", "detail")) if batches else np.zeros(0, np.uint64)
