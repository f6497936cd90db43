"""The rows of parquet files, here or far away: only the columns and row groups that are asked for are read."""

from __future__ import annotations

import bisect
import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from skipit_nb.errors import MissingPackageError, TaskDataError

Row = dict[str, Any]

BLOCKS_KEPT = 4
"""Row groups of images that a process keeps when it opens them one by one."""


@dataclass(frozen=True, slots=True)
class Block:
    """One row group: the least that can be read of a parquet file's images."""

    url: str
    number: int
    """Of the row group in its file."""
    first: int
    """Its first row, counted over all files."""
    num_rows: int
    num_bytes: int
    """Of all its columns, uncompressed."""


class Table:
    """The rows of some parquet files in their order.

    Args:
        urls: Paths or addresses that fsspec opens, such as ``hf://datasets/…``.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls = tuple(urls)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """All row groups; reads the end of each file and nothing else."""
        blocks: list[Block] = []
        first = 0
        for url in self.urls:
            footer = _file(url).metadata
            for number in range(footer.num_row_groups):
                group = footer.row_group(number)
                blocks.append(Block(url, number, first, group.num_rows, group.total_byte_size))
                first += group.num_rows
        return tuple(blocks)

    @property
    def num_rows(self) -> int:
        """Rows in all files."""
        return sum(block.num_rows for block in self.blocks)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, as in the first file."""
        return tuple(_file(self.urls[0]).schema_arrow.names)

    def block_of(self, row: int) -> int:
        """The number of the block that holds a row."""
        return bisect.bisect_right([block.first for block in self.blocks], row) - 1

    def scan(self, columns: Sequence[str]) -> Iterator[Row]:
        """Every row, with these columns only; a column that is left out is not read."""
        for block in self.blocks:
            yield from read_block(block, columns)

    def take(self, rows: Sequence[int], columns: Sequence[str]) -> dict[int, Row]:
        """The rows of these numbers; reads the blocks that hold them, each once."""
        wanted: dict[int, list[int]] = {}
        for row in rows:
            wanted.setdefault(self.block_of(row), []).append(row)
        taken: dict[int, Row] = {}
        for number in sorted(wanted):
            block = self.blocks[number]
            offsets = [row - block.first for row in wanted[number]]
            taken |= dict(zip(wanted[number], read_block(block, columns, offsets), strict=True))
        return taken

    def place_of(self, row: int, column: str) -> tuple[str, int, int, str]:
        """What `fetched` needs to read one cell later: url, row group, row in it, column."""
        block = self.blocks[self.block_of(row)]
        return block.url, block.number, row - block.first, column


def read_block(block: Block, columns: Sequence[str], offsets: Sequence[int] | None = None) -> list[Row]:
    """The rows of one row group, or those at some offsets in it, with these columns only."""
    read = _file(block.url).read_row_group(block.number, columns=list(columns))
    found: list[Row] = (read if offsets is None else read.take(list(offsets))).to_pylist()
    return found


def fetched(url: str, number: int, offset: int, column: str) -> Any:
    """One cell, such as an image; the row groups read last are kept."""
    return _column(url, number, column)[offset].as_py()


@lru_cache(maxsize=BLOCKS_KEPT)
def _column(url: str, number: int, column: str) -> Any:
    return _file(url).read_row_group(number, columns=[column]).column(0)


@lru_cache(maxsize=128)
def _file(url: str) -> Any:
    """An open parquet file; its rows are read on demand."""
    fsspec, parquet = package("fsspec"), package("pyarrow.parquet")
    try:
        return parquet.ParquetFile(fsspec.open(url, "rb").open(), pre_buffer=True)
    except ValueError as error:  # what pyarrow raises for a file that is cut short, or of another kind
        raise TaskDataError(f"'{url}'", f"it cannot be read: {error}", "a whole parquet file") from error


def package(name: str) -> Any:
    """A package of the extra `data`.

    Raises:
        MissingPackageError: If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        top = name.partition(".")[0]
        raise MissingPackageError(
            top, "a benchmark from the Hugging Face hub", "pip install 'skipit-nb[data]'"
        ) from error
