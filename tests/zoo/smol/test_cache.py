from pathlib import Path

import pytest

from skipit_nb.errors import SettingError
from skipit_nb.zoo.smol.cache import CACHE_VARIABLE, cache_folder, made_once


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "kept"))
    return tmp_path / "kept"


def fill(folder: Path) -> None:
    (folder / "weights").write_text("whole")


def test_a_folder_is_made_the_first_time_and_found_the_second(cache: Path) -> None:
    assert (made_once("m", fill) / "weights").read_text() == "whole"
    assert made_once("m", lambda folder: pytest.fail("made again")) == cache / "m"


def test_what_fails_half_way_leaves_nothing_and_is_made_anew(cache: Path) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made_once("m", fail)
    assert list(cache.iterdir()) == []
    assert (made_once("m", fill) / "weights").exists()


def test_who_comes_second_takes_the_folder_of_who_was_quicker(cache: Path) -> None:
    def overtaken(folder: Path) -> None:
        (folder / "weights").write_text("slow")
        made_once("m", fill)

    assert (made_once("m", overtaken) / "weights").read_text() == "whole"
    assert [folder.name for folder in cache.iterdir()] == ["m"]


def test_the_folder_is_the_users_unless_the_environment_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, "~/elsewhere")
    assert cache_folder() == Path.home() / "elsewhere"
    monkeypatch.delenv(CACHE_VARIABLE)
    assert cache_folder().name == "skipit-nb"


def test_a_cache_that_cannot_be_written_to_is_told_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-file").write_text("not a folder")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "a-file"))
    with pytest.raises(SettingError, match=r"the cache is .*a-file'.*SKIPIT_CACHE in the environment names another"):
        made_once("some", lambda _: pytest.fail("made all the same"))
