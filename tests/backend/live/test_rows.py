"""Which axis of what a layer is called with has one entry a position."""

import pytest
import torch

from skipit_nb.backend.live.rows import Rows

MASK = torch.tensor([[True, False, True, True, False], [False, True, True, False, True]])
POSITIONS = torch.tensor([[0, 2, 3], [1, 2, 4]])


@pytest.fixture(scope="module")
def rows():
    return Rows.where(MASK)


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_rotary_tables_are_gathered_by_position_whether_real_or_complex(rows, dtype):
    table = torch.arange(5).to(dtype)[None, :, None].expand(2, 5, 4)
    assert torch.equal(rows.take(table)[..., 0], POSITIONS.to(dtype))


def test_a_complex_table_as_wide_as_the_prompt_is_long_keeps_its_width(rows):
    table = torch.arange(5).to(torch.complex64)[None, :, None].expand(2, 5, 5)
    assert rows.take(table).shape == (2, 3, 5)


def test_positions_of_three_axes_are_gathered_on_the_last(rows):
    assert torch.equal(rows.take(torch.arange(5).expand(3, 2, 5)), POSITIONS.expand(3, 2, 3))


def test_what_has_no_entry_a_position_passes_on(rows):
    table = torch.ones(2, 7, 4)
    assert rows.take(table) is table
    assert rows.take("eager") == "eager"
