"""The contract of the command line: names, exit codes, which output goes where, and a fast start."""

import json
import os
import subprocess
import sys

import pytest
import typer
from typer.main import get_command

import tallystick
from tallystick.cli.main import PURPOSES, OnDemand, app, command_names, main
from tests.cli.conftest import Office
from tests.support.worlds.agreements import ANA

GROUPS = {
    "key": {"new", "show"},
    "agreement": {"check", "sign", "register", "list", "show", "summary"},
    "deposit": {"make", "list", "show", "verify"},
    "custody": {"status"},
    "claim": {"documents", "file", "resend", "show", "list", "watch", "explain", "timeline"},
    "ledger": {"accept", "checkpoint", "contradiction", "verify"},
    "letter": {"check"},
    "age": {"encrypt", "decrypt"},
}


@pytest.mark.parametrize("command", list(command_names()))
def test_every_command_explains_itself(command: str, office: Office) -> None:
    ran = office.run(command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert "Usage: tallystick " + command in ran.out
    assert GROUPS.get(command, set()) <= set(ran.out.replace("│", " ").split())


def test_help_lists_every_command(office: Office) -> None:
    assert set(command_names()) <= set(office.run("--help").out.split())


def test_version_is_the_packages(office: Office) -> None:
    assert office.run("--version").out == f"{tallystick.__version__}\n"


def test_done_is_0_with_the_result_on_standard_output(office: Office) -> None:
    office.api.shows["/v1/inbox"] = {"items": []}
    ran = office.run("inbox", "--json", person=ANA)
    assert (ran.code, ran.json, ran.err) == (0, {"items": []}, "")


def test_refused_is_1_with_the_problem_on_standard_error(office: Office) -> None:
    ran = office.run("claim", "show", "clm-aaaaaaaaaaaaaaaa", person=ANA)
    assert (ran.code, ran.out, ran.problem["code"]) == (1, "", "no-such-claim")
    assert {"type", "title", "detail", "facts", "advice", "retryable"} <= ran.problem.keys()


@pytest.mark.parametrize("words", [("approve",), ("nothing",), ("claim", "show", "clm-x"), ("--nothing",)])
def test_wrong_usage_is_2(words: tuple[str, ...], office: Office) -> None:
    assert office.run(*words).code == 2


def test_no_server_is_3(office: Office) -> None:
    key = str(office.key(ANA))
    ran = office.run("inbox", "--api", "http://127.0.0.1:9", "--key", key)
    assert (ran.code, ran.problem["code"]) == (3, "unreachable")


def test_server_and_key_come_from_the_environment_too(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.api.shows["/v1/inbox"] = {"items": []}
    monkeypatch.setenv("TALLYSTICK_API", office.api.url)
    monkeypatch.setenv("TALLYSTICK_KEY", str(office.key(ANA)))
    assert office.run("inbox", "--json").json == {"items": []}


def test_start_imports_nothing_that_only_commands_need() -> None:
    script = "import sys, tallystick.cli.main; print(*sorted(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert not loaded & {
        "httpx",
        "cryptography",
        "nacl",
        "sqlmodel",
        "pydantic",
        "tallystick.domain.agreement.agreement",
    }


def test_help_imports_no_command_and_lists_each_with_its_own_words() -> None:
    script = (
        "import sys; from tallystick.cli.main import main\n"
        "try: main(['--help'])\n"
        "finally: print(*sorted(sys.modules), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ran.stderr.split())
    assert not [name for name in loaded if name.startswith("tallystick.cli.commands")]
    assert not loaded & {"httpx", "nacl", "sqlmodel", "pydantic", "temporalio", "cryptography"}
    context = typer.Context(get_command(app))
    group = get_command(app)
    assert isinstance(group, OnDemand)
    for name, purpose in PURPOSES.items():
        assert str(group.get_command(context, name).help).partition("\n\n")[0].replace("\n", " ") == purpose


def test_bug_is_not_taken_for_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tallystick.cli.commands.claims", None)
    with pytest.raises(ImportError):
        main(["claim", "list"])


@pytest.mark.parametrize("group", GROUPS)
def test_no_group_offers_what_is_not_its_business(group: str, office: Office) -> None:
    assert "completion" not in office.run(group, "--help").out


def test_server_without_a_scheme_is_wrong_usage(office: Office) -> None:
    ran = office.run("inbox", "--api", "127.0.0.1:8080", "--key", str(office.key(ANA)))
    assert ran.code == 2
    assert "http://127.0.0.1:8080" in ran.err


@pytest.mark.parametrize(
    "address", ["http://[::1", "http://h:port", "http://u:p@h", "http://xn--a", "http:///"]
)
def test_address_that_is_none_is_wrong_usage(address: str, office: Office) -> None:
    ran = office.run("inbox", "--api", address, "--key", str(office.key(ANA)))
    assert (ran.code, "--api" in ran.err, "Traceback" in ran.err) == (2, True, False)


@pytest.mark.parametrize(
    "options", [("--database-url", "postgresql://u:canary@h:port/x"), ("--api-port", "70000")]
)
def test_site_is_not_started_over_a_setting_that_is_none(options: tuple[str, str], office: Office) -> None:
    ran = office.run("up", "--data", "site", *options)
    assert ran.code == 1
    assert ran.problem["code"] in {"database-setup", "bad-setting"}
    assert "canary" not in ran.err


def test_a_url_that_is_no_proxy_is_refused_before_anything_is_sent(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://[::1")
    monkeypatch.setenv("NO_PROXY", "localhost,fd07:b51a:cc66:f0::/64")
    ran = office.run("inbox", "--api", "https://escrow.example", "--key", str(office.key(ANA)))
    assert (ran.code, ran.problem["code"]) == (1, "proxy-unusable")


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_terminal_that_lacks_a_character_gets_it_escaped(words: tuple[str, ...], office: Office) -> None:
    item = {"claim": "clm-x", "what": "\u2713 \u00fc", "until": None, "why": "\u4e00"}
    office.api.shows["/v1/inbox"] = {"items": [item]}
    arguments = ["inbox", *words, "--api", office.api.url, "--key", str(office.key(ANA))]
    script = "import sys; from tallystick.cli.main import main; main(sys.argv[1:])"
    ran = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert (ran.returncode, b"Traceback" in ran.stderr) == (0, False)
    assert b"\\u2713" in ran.stdout
    if words:
        assert json.loads(ran.stdout) == {"items": [item]}


def test_public_file_in_the_place_of_the_key_is_named_as_such(office: Office) -> None:
    ran = office.run("inbox", "--api", office.api.url, "--key", "keys/ana@harbour.pub")
    assert (ran.code, ran.problem["code"]) == (1, "public-file-given")


def test_what_the_system_refuses_is_a_problem_and_no_traceback(office: Office) -> None:
    (office.folder / "agreement.yaml").write_text("")
    (office.folder / "taken").write_text("a file")
    ran = office.run("demo", "--files", ".", "--data", "taken")
    assert (ran.code, ran.problem["code"]) == (1, "file-unusable")
    assert "taken" in ran.problem["facts"]["file"]


def test_demonstration_is_not_played_over_an_earlier_one(office: Office) -> None:
    (office.folder / "agreement.yaml").write_text("")
    (office.folder / "old" / "people").mkdir(parents=True)
    ran = office.run("demo", "--files", ".", "--data", "old")
    assert (ran.code, ran.problem["code"]) == (1, "demonstration-folder")
