"""Facts about the folder that a deposit is made from."""

import os
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from tallystick.desk.depositing import ComponentFolderError, folders_of, has_entry
from tests.support.worlds.agreements import AGREEMENT

NAME = "Schlüssel/é.txt"
FORMS = ("NFC", "NFD")


def spelt(form: str) -> str:
    return unicodedata.normalize(form, NAME)  # type: ignore[arg-type]


@pytest.mark.parametrize("agreed", FORMS)
@pytest.mark.parametrize("written", FORMS)
def test_a_required_entry_is_found_in_either_spelling(agreed: str, written: str, tmp_path: Path) -> None:
    component = replace(AGREEMENT.components[0], required_entries=(spelt(agreed),))
    agreement = replace(AGREEMENT, components=(component,))
    (tmp_path / component.id).mkdir()
    with pytest.raises(ComponentFolderError):
        folders_of(tmp_path, agreement, None)
    file = tmp_path / component.id / spelt(written)
    file.parent.mkdir()
    file.write_text("key")
    assert list(folders_of(tmp_path, agreement, None)) == [component.id]


@pytest.mark.parametrize("path", ["other", "file/below", "file/", "", "link"])
def test_what_is_not_there_is_not_found(path: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("nowhere")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_text("x")
    assert not has_entry(tmp_path, path)
    assert has_entry(tmp_path, "file")
