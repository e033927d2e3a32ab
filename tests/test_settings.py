"""Settings come from the environment; a wrong one is named and never guessed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tallystick.domain.ids import DeploymentId
from tallystick.locations import BlobLocation
from tallystick.settings import BadSettingError, environment_of, read_settings
from tests.support.worlds.agreements import signing_key

LEAST = {"TALLYSTICK_DEPLOYMENT": "test", "TALLYSTICK_DATA": "/data"}
ROOT_KEY = signing_key("root").public_key
FULL = {
    **LEAST,
    "TALLYSTICK_DATABASE_URL": "postgresql+psycopg://ana:canary@db/tally",
    "TALLYSTICK_BLOBS": "file:///disk1/with%20space file:///disk2",
    "TALLYSTICK_BLOBS_READ_ONLY": "file:///disk2",
    "TALLYSTICK_UPLOADS_DIR": "/spool",
    "TALLYSTICK_ROOT_KEYS": f"{ROOT_KEY} {signing_key('spare').public_key}",
    "TALLYSTICK_TEMPORAL_ADDRESS": "temporal.example:7233",
    "TALLYSTICK_TEMPORAL_NAMESPACE": "escrow",
    "TALLYSTICK_API_HOST": "0.0.0.0",  # noqa: S104 - a value to be read, not listened on
    "TALLYSTICK_API_PORT": "8443",
    "TALLYSTICK_METRICS_ADDRESS": "127.0.0.1:9464",
    "TALLYSTICK_LOG_KEY_FILE": "/keys/log.key",
    "TALLYSTICK_LETTER_KEY_FILE": "/keys/letter.key",
    "TALLYSTICK_GATE_KEY_FILE": "/keys/gate.key",
    "TALLYSTICK_SMTP_URL": "smtp://ana:canary@mail.example:587",
    "TALLYSTICK_MAIL_FROM": "escrow@harbour.example",
    "TALLYSTICK_MAIL_CAUGHT": "yes",
    "TALLYSTICK_OUTBOX_DIR": "/outbox",
    "TALLYSTICK_WEBHOOK_HOSTS": "hooks.nordwind.example hooks.halden.example",
    "TALLYSTICK_LOOPBACK_WEBHOOKS": "yes",
    "TALLYSTICK_HALT_FILE": "/run/halt",
    "TALLYSTICK_RECONCILE_SECONDS": "11",
    "TALLYSTICK_CHECKPOINT_SECONDS": "12",
    "TALLYSTICK_SCRUB_SECONDS": "13",
    "TALLYSTICK_POLL_SECONDS": "15",
}


def test_a_name_and_a_data_folder_are_enough() -> None:
    settings = read_settings(LEAST)
    assert settings.deployment == "test"
    assert settings.database_url == "sqlite:////data/tallystick.db"
    assert [location.path for location in settings.blob_locations] == [
        Path("/data/blobs-a"),
        Path("/data/blobs-b"),
    ]
    assert settings.halt_file == Path("/data/HALT")
    assert settings.log_key_file == Path("/data/keys/log.key")
    assert settings.root_keys == ()
    assert settings.smtp_url is None
    assert not settings.loopback_webhooks, "webhooks reach this machine only where somebody said so"


def test_every_variable_is_read() -> None:
    settings = read_settings(FULL)
    assert settings.blob_locations[0].path == Path("/disk1/with space")
    assert [location.writable for location in settings.blob_locations] == [True, False]
    assert settings.root_keys[0] == ROOT_KEY
    assert settings.api_port == 8443
    assert settings.webhook_hosts == ("hooks.nordwind.example", "hooks.halden.example")
    assert settings.letter_key_file == Path("/keys/letter.key")
    assert settings.loopback_webhooks
    assert settings.poll_every == timedelta(seconds=15)


@pytest.mark.parametrize("environment", [LEAST, FULL])
def test_a_started_process_reads_the_same_settings(environment: dict[str, str]) -> None:
    settings = read_settings(environment)
    assert read_settings(environment_of(settings)) == settings
    changed = replace(settings, deployment=DeploymentId("other"), api_port=1)
    assert read_settings(environment_of(changed)) == changed


def test_full_settings_say_every_variable_again() -> None:
    assert environment_of(read_settings(FULL)) == FULL


def test_variables_of_others_are_left_alone() -> None:
    read_settings({**LEAST, "PATH": "/bin", "TALLYSTICK_API": "http://127.0.0.1:8080", "TALLYSTICK_KEY": "x"})


@pytest.mark.parametrize("name", LEAST)
def test_what_has_no_default_is_asked_for(name: str) -> None:
    with pytest.raises(BadSettingError) as caught:
        read_settings({other: text for other, text in LEAST.items() if other != name})
    assert caught.value.facts == {"setting": name}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TALLYSTICK_HALT_FLIE", "/data/HALT"),
        ("TALLYSTICK_DEPLOYMENT", "Not A Name"),
        ("TALLYSTICK_DATA", "relative/path"),
        ("TALLYSTICK_DATA", "/data\nfolder"),
        ("TALLYSTICK_DATA", "/data\udcff"),
        ("TALLYSTICK_DATABASE_URL", "no url"),
        ("TALLYSTICK_BLOBS", "file:///only-one"),
        ("TALLYSTICK_BLOBS", "file:///same file:///same"),
        ("TALLYSTICK_BLOBS", "file:///outer file:///outer/inner"),
        ("TALLYSTICK_BLOBS", "file:///one s3://two"),
        ("TALLYSTICK_BLOBS", "file:///one file://host/two"),
        ("TALLYSTICK_BLOBS", "file:///one file:two"),
        ("TALLYSTICK_BLOBS_READ_ONLY", "file:///elsewhere"),
        ("TALLYSTICK_BLOBS_READ_ONLY", "file:///data/blobs-a file:///data/blobs-b"),
        ("TALLYSTICK_ROOT_KEYS", "ed25519:00"),
        ("TALLYSTICK_TEMPORAL_ADDRESS", "7233"),
        ("TALLYSTICK_TEMPORAL_ADDRESS", "host:port"),
        ("TALLYSTICK_TEMPORAL_ADDRESS", "two words:7233"),
        ("TALLYSTICK_TEMPORAL_ADDRESS", "http://temporal.example:7233"),
        ("TALLYSTICK_TEMPORAL_ADDRESS", "[::1:7233"),
        ("TALLYSTICK_TEMPORAL_ADDRESS", "::1:7233"),
        ("TALLYSTICK_API_PORT", "0"),
        ("TALLYSTICK_API_PORT", "65536"),
        ("TALLYSTICK_API_PORT", "eighty"),
        ("TALLYSTICK_SMTP_URL", "https://mail.example"),
        ("TALLYSTICK_SMTP_URL", "smtp://"),
        ("TALLYSTICK_SMTP_URL", "smtp://[canary"),
        ("TALLYSTICK_LOOPBACK_WEBHOOKS", "true"),
        ("TALLYSTICK_HALT_FILE", "HALT"),
        ("TALLYSTICK_SCRUB_SECONDS", "0"),
        ("TALLYSTICK_SCRUB_SECONDS", "1.5"),
    ],
)
def test_a_wrong_setting_is_named(name: str, text: str) -> None:
    with pytest.raises(BadSettingError) as caught:
        read_settings({**LEAST, name: text})
    assert caught.value.facts == {"setting": name}
    assert "canary" not in str(caught.value)


def test_no_password_is_shown() -> None:
    assert "canary" not in repr(read_settings(FULL))


def test_releases_are_halted_while_the_file_exists(tmp_path: Path) -> None:
    settings = replace(read_settings(LEAST), halt_file=tmp_path / "HALT")
    assert not settings.halted
    settings.halt_file.touch()
    assert settings.halted
    settings.halt_file.unlink()
    assert not settings.halted


def test_releases_are_halted_by_a_dangling_link_and_where_the_file_cannot_be_looked_for(
    tmp_path: Path,
) -> None:
    (tmp_path / "HALT").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    for halt_file in (tmp_path / "HALT", tmp_path / "file" / "HALT"):
        assert replace(read_settings(LEAST), halt_file=halt_file).halted


def test_a_location_names_its_kind() -> None:
    assert BlobLocation(url="file:///a").scheme == "file"


def test_a_mail_server_elsewhere_needs_a_sender() -> None:
    relay = {**LEAST, "TALLYSTICK_SMTP_URL": "smtp://apikey:canary@smtp.relay.example:587"}
    with pytest.raises(BadSettingError) as caught:
        read_settings(relay)
    assert caught.value.facts["setting"] == "TALLYSTICK_MAIL_FROM"
    assert read_settings({**relay, "TALLYSTICK_MAIL_FROM": "Desk@Harbour.Example"}).mail_from == (
        "Desk@harbour.example"
    )
    assert read_settings({**LEAST, "TALLYSTICK_SMTP_URL": "smtp://127.0.0.1:25"}).mail_from is None


@pytest.mark.parametrize(
    "text", ["escrow", "Desk <a@b.example>", "a@b.example, c@d.example", "a@b c", "@b.example"]
)
def test_a_sender_is_one_address(text: str) -> None:
    with pytest.raises(BadSettingError):
        read_settings({**LEAST, "TALLYSTICK_MAIL_FROM": text})


def test_webhook_hosts_are_hosts_spelt_one_way() -> None:
    settings = read_settings({**LEAST, "TALLYSTICK_WEBHOOK_HOSTS": "Hooks.Example bücher.example."})
    assert settings.webhook_hosts == ("hooks.example", "xn--bcher-kva.example")
    for wrong in ("https://hooks.example", "hooks.example:443", "hooks.example/in"):
        with pytest.raises(BadSettingError):
            read_settings({**LEAST, "TALLYSTICK_WEBHOOK_HOSTS": wrong})


@pytest.mark.parametrize("password", ["change-me", "change-me-too", "CHANGEME", "change%2Dme", "password"])
def test_a_password_of_an_example_starts_nothing(password: str) -> None:
    for name, url in (
        ("DATABASE_URL", f"postgresql://tallystick:{password}@database/tallystick"),
        ("SMTP_URL", f"smtp://escrow:{password}@mail.example:587"),
    ):
        with pytest.raises(BadSettingError, match="placeholder"):
            read_settings({**LEAST, f"TALLYSTICK_{name}": url})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DEPLOYMENT", "example-site"),
        ("DEPLOYMENT", "change-me"),
        ("MAIL_FROM", "escrow@example.com"),
        ("MAIL_FROM", "escrow@Mail.Example.ORG"),
        ("WEBHOOK_HOSTS", "hooks.harbour.example hooks.example.com"),
        ("SMTP_URL", "smtp://mail.example.net:25"),
        ("DATABASE_URL", "postgresql://ana@db.example.com/tally"),
    ],
)
def test_a_name_of_an_example_starts_nothing(name: str, text: str) -> None:
    with pytest.raises(BadSettingError, match="placeholder"):
        read_settings({**LEAST, f"TALLYSTICK_{name}": text})


@pytest.mark.parametrize("name", ["examples-of-law", "secretariat", "my-harbour", "counterexample.com"])
def test_a_name_of_ones_own_is_taken_though_it_looks_like_an_example(name: str) -> None:
    assert read_settings({**LEAST, "TALLYSTICK_DEPLOYMENT": name}).deployment == name
