"""The data folder of a site: made once, found again, and never another's."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tallystick.crypto.enrolment import enrol, public_file_bytes
from tallystick.crypto.envelope import envelope_json
from tallystick.crypto.keyfile import read_key_file
from tallystick.crypto.letter_key import LetterKeyUnpublishedError
from tallystick.domain.ids import PersonId
from tallystick.site import (
    DataFolderError,
    DeploymentUnreadableError,
    OtherDeploymentError,
    RootFileError,
    prepare,
    read_letter_key,
    settings_of,
)
from tallystick.store.database.session import open_database
from tallystick.store.database.tables import create_tables
from tests.support.worlds.agreements import ANA, PEOPLE


@pytest.fixture
def ana_pub(tmp_path: Path) -> Path:
    ana = PEOPLE[ANA]
    recipient = str(ana.identity.recipient())
    enrolled = enrol(
        PersonId(ANA), ana.signing_key, age_recipient=recipient, issued_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    path = tmp_path / "ana@harbour.pub"
    path.write_bytes(public_file_bytes(enrolled))
    return path


def test_a_folder_keeps_its_keys_when_it_is_prepared_again(tmp_path: Path) -> None:
    first = prepare(tmp_path / "site", deployment="harbour").deployment()
    assert prepare(tmp_path / "site", deployment="harbour").deployment() == first


def test_a_start_cut_short_before_the_public_file_uses_the_keys_it_left(tmp_path: Path) -> None:
    site = prepare(tmp_path / "site", deployment="harbour")
    first = site.deployment()
    site.public_file.unlink()
    assert prepare(tmp_path / "site", deployment="harbour").deployment() == first


def test_what_is_public_names_the_keys_in_the_private_files(tmp_path: Path) -> None:
    site = prepare(tmp_path / "site", deployment="harbour")
    public = site.deployment()
    assert read_key_file(site.log_key_file).signing_key.public_key == public.engine.log_key
    assert read_key_file(site.gate_key_file).signing_key.public_key == public.engine.decision_key
    assert public.engine.log_key != public.engine.decision_key


def test_the_letter_key_is_published_by_the_log_key_and_replaced_when_it_is_taken_away(
    tmp_path: Path,
) -> None:
    site = prepare(tmp_path / "site", deployment="harbour")
    first = site.deployment()
    log_key = first.engine.log_key
    known = read_letter_key(site.letter_key_file, deployment=first.id, log_key=log_key)
    assert first.letter_key is not None
    assert first.letter_key.envelope == envelope_json(known.published)

    site.letter_key_file.unlink()
    second = prepare(site.root, deployment="harbour").deployment()
    newer = read_letter_key(site.letter_key_file, deployment=first.id, log_key=log_key)
    assert newer.signing_key.public_key != known.signing_key.public_key
    assert second.letter_key is not None
    assert second.letter_key.envelope == envelope_json(newer.published)
    assert second.engine == first.engine, "no agreement has to be signed anew"


def test_a_letter_key_without_its_publication_is_refused_until_prepare_publishes_it(tmp_path: Path) -> None:
    site = prepare(tmp_path / "site", deployment="harbour")
    public = site.deployment()
    site.letter_key_file.with_suffix(".pub").unlink()
    with pytest.raises(LetterKeyUnpublishedError):
        read_letter_key(site.letter_key_file, deployment=public.id, log_key=public.engine.log_key)
    prepare(site.root, deployment="harbour")
    read_letter_key(site.letter_key_file, deployment=public.id, log_key=public.engine.log_key)


def test_no_private_key_stands_in_the_public_file(tmp_path: Path) -> None:
    site = prepare(tmp_path / "site", deployment="harbour")
    text = site.public_file.read_text()
    for path in (site.log_key_file, site.letter_key_file, site.gate_key_file):
        keys = read_key_file(path)
        assert keys.signing_key.secret_seed().hex() not in text
        assert keys.age_identity not in text


def test_what_is_public_has_its_name_for_good_once_the_folder_is_prepared(tmp_path: Path) -> None:
    site = prepare(tmp_path / "site", deployment="harbour")
    seen: list[Path] = []

    def fsync(descriptor: int) -> None:
        seen.append(Path(f"/proc/self/fd/{descriptor}").resolve())
        os.fsync(descriptor)

    prepare(site.root, deployment="harbour", fsync=fsync)
    draft, folder = seen
    assert draft.name.startswith(f".{site.public_file.name}.")
    assert folder == site.root
    assert stat.S_IMODE(site.public_file.stat().st_mode) == 0o644, "worker and gate may be other users"


def test_private_files_are_their_owners_alone(tmp_path: Path) -> None:
    site = prepare(tmp_path / "site", deployment="harbour")
    assert stat.S_IMODE(site.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(site.gate_key_file.stat().st_mode) == 0o600


def test_a_folder_of_another_deployment_is_refused(tmp_path: Path) -> None:
    prepare(tmp_path / "site", deployment="harbour")
    with pytest.raises(OtherDeploymentError):
        prepare(tmp_path / "site", deployment="haven")


def test_a_root_key_is_added_once_and_stays(tmp_path: Path, ana_pub: Path) -> None:
    prepare(tmp_path / "site", deployment="harbour", root_files=[ana_pub])
    prepare(tmp_path / "site", deployment="harbour", root_files=[ana_pub])
    site = prepare(tmp_path / "site", deployment="harbour")
    assert site.deployment().root_keys == (PEOPLE[ANA].signing_key.public_key,)
    assert settings_of(site, api_port=1, temporal_port=2).root_keys == site.deployment().root_keys


def test_the_ledger_lies_in_the_folder_unless_another_place_is_named(tmp_path: Path) -> None:
    site = prepare(tmp_path / "site", deployment="harbour")
    named = "postgresql+psycopg://tally@/ledger"
    own = settings_of(site, api_port=1, temporal_port=2).database_url
    assert own == f"sqlite:///{tmp_path}/site/tallystick.db"
    assert settings_of(site, api_port=1, temporal_port=2, database_url=named).database_url == named


@pytest.mark.parametrize("folder", ["a?mode=x", "a#b", "a%20b", "a b", "é", "a&b=c;d", "a%3Fb"])
def test_the_ledger_lies_in_the_folder_whatever_it_is_called(tmp_path: Path, folder: str) -> None:
    site = prepare(tmp_path / folder, deployment="harbour")
    settings = settings_of(site, api_port=1, temporal_port=2)
    create_tables(open_database(settings.database_url))
    assert (site.root / "tallystick.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [folder]
    assert [location.path.parent for location in settings.blob_locations] == [site.root, site.root]


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_public_file_that_others_may_change_is_refused(tmp_path: Path, mode: int) -> None:
    site = prepare(tmp_path / "site", deployment="harbour")
    site.public_file.chmod(mode)
    with pytest.raises(DataFolderError, match="others may change"):
        site.deployment()


def test_an_altered_public_file_is_refused(tmp_path: Path) -> None:
    site = prepare(tmp_path / "site", deployment="harbour")
    site.public_file.write_bytes(site.public_file.read_bytes().replace(b'"harbour"', b'"Harbour"'))
    with pytest.raises(DeploymentUnreadableError):
        prepare(tmp_path / "site", deployment="harbour")


def test_logs_of_earlier_runs_are_kept_and_bounded(tmp_path: Path) -> None:
    site = prepare(tmp_path / "site", deployment="harbour")
    for run in range(9):
        site.new_log("api").write_text(f"run {run}")
    assert site.new_log("api").exists() is False
    kept = sorted(path.read_text() for path in site.logs.iterdir())
    assert kept == ["run 4", "run 5", "run 6", "run 7", "run 8"]


@pytest.mark.parametrize("content", [None, b"{}", b'{"age_identity": "a secret"}'])
def test_a_root_file_that_is_no_public_file_is_refused_and_nothing_is_made(
    tmp_path: Path, content: bytes | None
) -> None:
    wrong = tmp_path / "ana@harbour.key"
    if content is not None:
        wrong.write_bytes(content)
    with pytest.raises(RootFileError) as refused:
        prepare(tmp_path / "site", deployment="harbour", root_files=[wrong])
    assert refused.value.facts["file"] == str(wrong)
    assert not (tmp_path / "site").exists()


def test_a_file_in_the_place_of_the_data_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file")
    with pytest.raises(DataFolderError) as refused:
        prepare(tmp_path / "site", deployment="harbour")
    assert refused.value.facts["reason"] == "File exists"


def test_public_facts_in_whose_place_anybody_could_put_others_are_refused(tmp_path: Path) -> None:
    site = prepare(tmp_path / "data", deployment="harbour", root_files=())
    site.root.chmod(0o777)
    with pytest.raises(DataFolderError, match=f"everybody may write: run `chmod go-w {site.root}`"):
        site.deployment()
