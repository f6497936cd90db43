"""A ledger keeps what it was given, through torn lines and full disks, and never confuses two configurations."""

import errno
import json
import os

import pytest

from skipit_nb.backend.evaluation.ledger import ANSWERS, MANIFEST, Ledger, fingerprint
from skipit_nb.errors import LedgerError

FULL, SKIPPED = {"model": "tiny", "skipset": "none"}, {"model": "tiny", "skipset": "vision absent 3-"}
WORDS = ["red", "", "a\nb", '"quoted"', "\x00", "\u202eעברית", "<b>bold</b>", "x" * 100_000]


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "run")


def test_what_was_kept_is_there_again(ledger):
    full = ledger.register(FULL)
    ledger.keep([(full, f"q/{number}", word) for number, word in enumerate(WORDS)])
    again = Ledger(ledger.folder)
    assert [again.answer(full, f"q/{number}") for number in range(len(WORDS))] == WORDS
    assert again.configurations == {full: FULL}
    assert len(again) == len(WORDS)


def test_two_skip_sets_never_share_an_answer(ledger):
    full, skipped = ledger.register(FULL), ledger.register(SKIPPED)
    ledger.keep([(full, "q", "red")])
    assert full != skipped
    assert ledger.answer(skipped, "q") is None
    assert Ledger(ledger.folder).answer(skipped, "q") is None


def test_the_order_of_entries_makes_no_other_configuration():
    assert fingerprint(FULL) == fingerprint(dict(reversed(FULL.items())))


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_torn_last_line_is_cut_off_and_the_next_one_is_whole(ledger, cut):
    full = ledger.register(FULL)
    ledger.keep([(full, "1", "red"), (full, "2", "blue")])
    path = ledger.folder / ANSWERS
    os.truncate(path, path.stat().st_size - cut)
    again = Ledger(ledger.folder)
    assert (again.answer(full, "1"), again.answer(full, "2")) == ("red", None)
    again.keep([(full, "2", "blue")])
    assert Ledger(ledger.folder).answer(full, "2") == "blue"


def test_a_line_damaged_in_the_middle_is_named(ledger):
    full = ledger.register(FULL)
    ledger.keep([(full, "1", "red"), (full, "2", "blue")])
    path = ledger.folder / ANSWERS
    path.write_text("garbage\n" + path.read_text())
    with pytest.raises(LedgerError, match=r"line 1 of answers\.jsonl is damaged"):
        Ledger(ledger.folder)


def test_a_folder_that_is_no_ledger_is_left_alone(tmp_path):
    (tmp_path / "thesis.md").write_text("mine")
    with pytest.raises(LedgerError, match="no manifest"):
        Ledger(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.md"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}'])
def test_a_manifest_that_cannot_be_read_is_named(tmp_path, text):
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(LedgerError, match=r"manifest\.json cannot be read"):
        Ledger(tmp_path)


def test_a_manifest_of_another_version_is_refused(tmp_path):
    (tmp_path / MANIFEST).write_text(json.dumps({"format": 7, "configurations": {}}))
    with pytest.raises(LedgerError, match="format 7, this version reads 1"):
        Ledger(tmp_path)


def test_on_a_full_disk_the_manifest_stays_as_it_was(ledger, monkeypatch):
    ledger.register(FULL)
    before = (ledger.folder / MANIFEST).read_text()

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LedgerError, match="No space left on device"):
        ledger.register(SKIPPED)
    assert (ledger.folder / MANIFEST).read_text() == before
    assert [path.name for path in ledger.folder.iterdir()] == [MANIFEST]
    assert len(ledger.configurations) == 1


def test_on_a_full_disk_no_line_is_left_half_written(ledger, monkeypatch):
    full, synced = ledger.register(FULL), os.fsync
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(LedgerError, match="No space"):
        ledger.keep([(full, "1", "red")])
    monkeypatch.setattr(os, "fsync", synced)
    assert ledger.answer(full, "1") is None
    ledger.keep([(full, "2", "blue")])
    again = Ledger(ledger.folder)
    assert (again.answer(full, "1"), again.answer(full, "2")) == (None, "blue")


def test_a_place_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="file"):
        Ledger(tmp_path / "file")
