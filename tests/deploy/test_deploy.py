"""The files in deploy/ can be run, as far as one can tell without a container engine, and grant the least."""

import importlib.util
import json
import os
import re
import runpy
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import pytest
import yaml
from uvicorn.protocols.http.h11_impl import H11Protocol

from tallystick.settings import BadSettingError, environment_of, read_settings
from tests.support.worlds.agreements import signing_key

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
OURS: Final = ("api", "worker", "gate", "migrate")
SERVING: Final = ("api", "worker", "gate")

Node = Mapping[str, object]


def assigned(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", text, flags=re.MULTILINE))


EXAMPLE: Final = (DEPLOY / "env.example").read_text()
CHOSEN: Final = {"TALLYSTICK_DEPLOYMENT": "harbour-escrow", "TALLYSTICK_MAIL_FROM": "escrow@harbour.example"}
"""What whoever copies the example has to choose."""
VARIABLES: Final = {**assigned(EXAMPLE), **CHOSEN}


def interpolated(text: str) -> str:
    """Fill in `${NAME:-default}` and `${NAME:?why}` as compose does, from the example."""

    def value(found: "re.Match[str]") -> str:
        name, how, rest = found.groups()
        if name in VARIABLES:
            return VARIABLES[name]
        assert how == ":-", f"{name} is required, but is not in env.example"
        return rest

    return re.sub(r"\$\{([A-Z_]+)(:[-?])([^}]*)\}", value, text)


COMPOSE: Final = cast("Node", yaml.safe_load(interpolated((DEPLOY / "compose.yaml").read_text())))
SERVICES: Final = cast("Mapping[str, Node]", COMPOSE["services"])
MANIFESTS: Final = {
    path.stem: [cast("Node", each) for each in yaml.safe_load_all(path.read_text())]
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
}


def nodes(node: object, *path: str) -> object:
    for step in path:
        node = cast("Node", node)[step]
    return node


def words(node: object) -> list[str]:
    return [str(each) for each in cast("Sequence[object]", node)]


def settings_named_by_the_code() -> set[str]:
    source = (ROOT / "tallystick" / "settings.py").read_text()
    return {f"TALLYSTICK_{name}" for name in re.findall(r'read\.(?:get|required)\(\s*"([A-Z_]+)"', source)}


# Settings.


def test_the_example_shows_every_setting_and_no_other() -> None:
    shown = set(re.findall(r"^(?:# )?(TALLYSTICK_[A-Z_]+)=", EXAMPLE, flags=re.MULTILINE))
    assert shown == settings_named_by_the_code()
    assert len(shown) > 20


def test_the_example_as_it_is_names_nobody_and_starts_nothing() -> None:
    assert {name: assigned(EXAMPLE)[name] for name in CHOSEN} == dict.fromkeys(CHOSEN, "")
    compose = (DEPLOY / "compose.yaml").read_text()
    assert all(f"${{{name}:?see env.example}}" in compose for name in CHOSEN)


def test_the_example_can_be_read_and_every_line_has_its_effect() -> None:
    environment = {name: text for name, text in VARIABLES.items() if name.startswith("TALLYSTICK_")}
    told = environment_of(read_settings(environment))
    assert {name: told[name] for name in environment} == environment


@pytest.mark.parametrize("name", OURS)
def test_every_service_gets_settings_that_can_be_read(name: str) -> None:
    environment = cast("Mapping[str, str]", SERVICES[name]["environment"])
    root = {"TALLYSTICK_ROOT_KEYS": signing_key("root").public_key}
    settings = read_settings({**environment, **root})
    assert settings.database_url.startswith("postgresql+psycopg://tallystick:")
    assert settings.temporal_address == "temporal:7233"
    assert len(settings.blob_locations) == 2


def test_the_runbook_tells_every_setting() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    assert settings_named_by_the_code() == set(re.findall(r"`(TALLYSTICK_[A-Z_]+)`", runbook)) - {
        "TALLYSTICK_API",
        "TALLYSTICK_KEY",
    }


# Commands.


def commands() -> Iterator[tuple[str, list[str]]]:
    for name in OURS:
        yield f"compose {name}", words(SERVICES[name]["command"])
        for pod in pods(name):
            yield f"kubernetes {name}", words(nodes(container(pod), "args"))
    image = re.search(r"^CMD (\[.*\])$", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert image is not None
    yield "image", json.loads(image[1])


def pods(name: str) -> list[Node]:
    return [
        cast("Node", nodes(each, "spec", "template", "spec"))
        for each in MANIFESTS[name]
        if each["kind"] in {"Deployment", "Job"}
    ]


def container(pod: Node) -> Node:
    (only,) = cast("Sequence[Node]", pod["containers"])
    return only


@pytest.mark.parametrize(("where", "command"), list(commands()))
def test_every_service_runs_a_command_that_exists(where: str, command: list[str]) -> None:
    if command[:2] == ["python", "-m"]:
        assert importlib.util.find_spec(command[2]) is not None
        place = ROOT / command[2].replace(".", "/")
        program = place / "__main__.py" if place.is_dir() else place.with_suffix(".py")
        assert 'if __name__ == "__main__":' in program.read_text()
        return
    server, application, *options = command
    module, _, factory = application.partition(":")
    assert server == "uvicorn"
    assert callable(getattr(importlib.import_module(module), factory))
    assert "--factory" in options
    home, _, protocol = options[options.index("--http") + 1].partition(":")
    assert issubclass(getattr(importlib.import_module(home), protocol), H11Protocol)


def test_the_worker_takes_the_option_that_makes_it_the_gate() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workflows.worker", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert "--gate" in done.stdout


# Rights, in compose.


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_has_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service["read_only"] is (name != "temporal"), "only its entry point writes beside the volumes"
    by_hand = service.get("profiles") == ["operate"]
    assert (str(service["user"]).partition(":")[0] == "0") == by_hand, "root only where an operator starts it"
    assert set(words(service.get("cap_add", []))) <= (
        {"CHOWN", "FOWNER", "DAC_OVERRIDE"} if by_hand else set()
    )


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_published_is_published_to_this_host_only(name: str) -> None:
    ports = words(SERVICES[name].get("ports", []))
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert not ports or name in {"api", "mail"}


def test_everything_but_the_front_is_in_networks_without_a_way_out() -> None:
    networks = cast("Mapping[str, Node]", COMPOSE["networks"])
    assert {name for name, network in networks.items() if not network.get("internal")} == {"front", "outside"}
    outside = {name for name, one in SERVICES.items() if "outside" in words(one.get("networks", []))}
    assert outside == {"worker"}, "it sends mail and webhooks; nothing else calls anybody"
    used = {net for service in SERVICES.values() for net in words(service.get("networks", []))}
    assert used == set(networks)


def test_no_secret_has_a_value_that_everybody_knows() -> None:
    secrets = {name: text for name, text in VARIABLES.items() if re.search("PASSWORD|SECRET|TOKEN", name)}
    assert secrets == {"DATABASE_PASSWORD": "", "TEMPORAL_DATABASE_PASSWORD": ""}
    asked = (DEPLOY / "compose.yaml").read_text()
    for name in secrets:
        assert f"${{{name}:?" in asked, "compose refuses to start while it is empty"
        assert not re.search(rf"\$\{{{name}(?!:\?)", asked)


def test_the_gate_shares_a_network_with_the_database_and_temporal_alone() -> None:
    mine = set(words(SERVICES["gate"]["networks"]))
    beside = {name for name, service in SERVICES.items() if mine & set(words(service.get("networks", [])))}
    assert beside == {"gate", "database", "temporal"}
    assert "front" not in mine


def test_each_key_is_mounted_where_it_is_used_and_nowhere_else() -> None:
    for volume, owner in {"gate-key": "gate", "log-key": "worker"}.items():
        holders = {
            name
            for name, service in SERVICES.items()
            for mount in cast("Sequence[Node]", service.get("volumes", []))
            if mount["source"] == volume
        }
        assert holders == {owner, "prepare"}


def test_each_process_has_a_user_of_its_own() -> None:
    users = [str(SERVICES[name]["user"]) for name in SERVING]
    assert len(set(users)) == len(users)
    assert {user.partition(":")[2] for user in users} == {"10000"}


def test_the_two_blob_stores_are_two_folders_of_the_host() -> None:
    assert VARIABLES["BLOBS_NORTH"] != VARIABLES["BLOBS_SOUTH"]
    for name in SERVING:
        mounts = {str(m["target"]): m["source"] for m in cast("Sequence[Node]", SERVICES[name]["volumes"])}
        assert mounts["/blobs/north"] == VARIABLES["BLOBS_NORTH"]
        assert mounts["/blobs/south"] == VARIABLES["BLOBS_SOUTH"]


NORTH, SOUTH = "/blobs/north", "/blobs/south"
WRITERS: Final = {"api": {NORTH}, "gate": {SOUTH}, "worker": {NORTH, SOUTH}}
"""API and gate each write one store, so that neither can delete in both; the worker makes the copies."""


@pytest.mark.parametrize("name", SERVING)
def test_only_the_worker_may_write_both_stores_and_each_process_knows_which(name: str) -> None:
    mounts = cast("Sequence[Node]", SERVICES[name]["volumes"])
    read_only = {str(m["target"]): m.get("read_only", False) for m in mounts}
    assert {store for store in (NORTH, SOUTH) if not read_only[store]} == WRITERS[name]
    assert told_to_write(cast("Mapping[str, str]", SERVICES[name]["environment"])) == WRITERS[name]


@pytest.mark.parametrize("name", SERVING)
def test_in_a_cluster_only_the_worker_may_write_both_stores(name: str) -> None:
    (pod,) = pods(name)
    mounts = cast("Sequence[Node]", container(pod)["volumeMounts"])
    read_only = {str(m["mountPath"]): m.get("readOnly", False) for m in mounts}
    assert {store for store in (NORTH, SOUTH) if not read_only[store]} == WRITERS[name]
    own = {str(e["name"]): str(e.get("value")) for e in cast("Sequence[Node]", container(pod)["env"])}
    stores = {each: text for each, text in own.items() if each.startswith("TALLYSTICK_BLOBS")}
    assert told_to_write({**cluster_settings(), **stores}) == WRITERS[name]


def told_to_write(environment: Mapping[str, str]) -> set[str]:
    settings = read_settings({**environment, "TALLYSTICK_DEPLOYMENT": "harbour-escrow"})
    return {str(one.path) for one in settings.blob_locations if one.writable}


def test_services_start_after_what_they_need() -> None:
    for name in SERVING:
        waits = cast("Mapping[str, Mapping[str, str]]", SERVICES[name]["depends_on"])
        assert {each: how["condition"] for each, how in waits.items()} == {
            "migrate": "service_completed_successfully",
            "temporal-namespace": "service_completed_successfully",
        }
    for service in SERVICES.values():
        assert set(cast("Mapping[str, object]", service.get("depends_on", {}))) <= set(SERVICES)


def test_the_scripts_that_are_mounted_are_there_and_are_shell() -> None:
    for name in ("schema.sh", "namespace.sh"):
        subprocess.run(["/bin/sh", "-n", str(DEPLOY / "temporal" / name)], check=True)
    assert "--retention 2160h" in (DEPLOY / "temporal" / "namespace.sh").read_text()


# The image.


def test_the_image_is_pinned_hashed_without_root_and_without_an_installer() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    stages = re.findall(r"^FROM (\S+)", text, flags=re.MULTILINE)
    assert stages == ["${PYTHON_IMAGE}", "${PYTHON_IMAGE}"]
    assert "--require-hashes --only-binary :all: --requirement requirements/run.txt" in text
    last = text.rpartition("FROM ")[2]
    assert "pip uninstall --yes" in last
    assert "pip install" not in last
    assert re.findall(r"^USER (.*)$", text, flags=re.MULTILINE) == ["10003:10000"]
    assert last.index("USER") < last.index("ENTRYPOINT")
    assert "ADD " not in text


def test_the_image_copies_what_there_is_and_ignores_the_rest() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(\S+)", text, flags=re.MULTILINE)
    allowed = re.findall(r"^!(\S+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), flags=re.MULTILINE)
    assert sorted(copied) == sorted(allowed)
    assert all((ROOT / path).exists() for path in copied)


def test_the_image_makes_files_that_its_group_can_write() -> None:
    entry = re.search(r"^ENTRYPOINT (\[.*\])$", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert entry is not None
    done = subprocess.run(
        [*json.loads(entry[1]), "sh", "-c", "umask"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0002"


# Keys.


@pytest.mark.skipif(os.geteuid() != 0, reason="files are given away by root")
def test_each_key_is_its_owners_alone(tmp_path: Path) -> None:
    command = [sys.executable, str(DEPLOY / "prepare.py"), str(tmp_path / "site"), "harbour-escrow"]
    environment = {"PYTHONPATH": str(ROOT)}
    subprocess.run(command, env=environment, check=True)
    public = (tmp_path / "site" / "deployment.json").read_bytes()
    subprocess.run(command, env=environment, check=True)
    assert (tmp_path / "site" / "deployment.json").read_bytes() == public, "keys are kept"
    owners = {name: str(SERVICES[name]["user"]).partition(":")[0] for name in SERVING}
    for key, owner in {"keys/log.key": "worker", "gate/gate.key": "gate"}.items():
        found = (tmp_path / "site" / key).stat()
        assert (str(found.st_uid), stat.S_IMODE(found.st_mode)) == (owners[owner], 0o600)
        assert stat.S_IMODE((tmp_path / "site" / key).parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "site" / "blobs-north").stat().st_mode) == 0o2770


@pytest.mark.skipif(os.geteuid() != 0, reason="files are given away by root")
@pytest.mark.parametrize("name", ["keys", "gate", "outbox", "uploads", "blobs-north", "blobs-south"])
def test_no_link_makes_root_give_away_what_lies_elsewhere(name: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o751)
    (tmp_path / "elsewhere" / "file").touch()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / name).symlink_to(tmp_path / "elsewhere")
    command = [sys.executable, str(DEPLOY / "prepare.py"), str(tmp_path / "site"), "harbour-escrow"]
    ran = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, check=False, capture_output=True)
    assert (ran.returncode, b"is a link" in ran.stderr) == (1, True)
    for path in (tmp_path / "elsewhere", tmp_path / "elsewhere" / "file"):
        assert path.stat().st_uid == os.geteuid()
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o751


@pytest.mark.skipif(os.geteuid() != 0, reason="files are given away by root")
def test_a_link_among_the_keys_is_given_away_itself_and_not_what_it_names(tmp_path: Path) -> None:
    command = [sys.executable, str(DEPLOY / "prepare.py"), str(tmp_path / "site"), "harbour-escrow"]
    subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, check=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    (tmp_path / "site" / "keys" / "link").symlink_to(tmp_path / "elsewhere")
    subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, check=True)
    assert (tmp_path / "elsewhere").stat().st_uid == os.geteuid()
    assert (tmp_path / "elsewhere" / "file").stat().st_uid == os.geteuid()


def test_a_link_that_takes_a_folders_place_at_the_last_moment_is_not_followed(tmp_path: Path) -> None:
    """Whoever swaps it does so after all looks at names, so the program's last step is called by itself."""
    give = runpy.run_path(str(DEPLOY / "prepare.py"))["_give"]
    (tmp_path / "elsewhere").mkdir(mode=0o751)
    (tmp_path / "keys").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="keys"):
        give(tmp_path / "keys", -1, group=-1)
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o751


# Kubernetes.


@pytest.mark.parametrize("name", OURS)
def test_no_pod_has_more_rights_than_it_needs(name: str) -> None:
    (pod,) = pods(name)
    assert nodes(pod, "securityContext", "runAsNonRoot") is True
    assert nodes(pod, "securityContext", "seccompProfile", "type") == "RuntimeDefault"
    assert pod["automountServiceAccountToken"] is False
    for each in [container(pod), *cast("Sequence[Node]", pod.get("initContainers", []))]:
        context = cast("Node", each["securityContext"])
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in cast("Node", nodes(each, "resources", "limits"))
        assert "command" not in each, "it would replace the image's entry point, and with it the umask"


@pytest.mark.parametrize("name", SERVING)
def test_a_pods_user_is_the_same_as_in_compose(name: str) -> None:
    (pod,) = pods(name)
    assert f"{nodes(pod, 'securityContext', 'runAsUser')}:10000" == SERVICES[name]["user"]


@pytest.mark.parametrize("name", OURS)
def test_every_mount_of_a_pod_has_its_volume_and_its_claim(name: str) -> None:
    (pod,) = pods(name)
    volumes = {str(each["name"]): each for each in cast("Sequence[Node]", pod["volumes"])}
    every = [container(pod), *cast("Sequence[Node]", pod.get("initContainers", []))]
    mounted = {str(m["name"]) for each in every for m in cast("Sequence[Node]", each["volumeMounts"])}
    assert mounted == set(volumes)
    claims = {nodes(each, "metadata", "name") for each in MANIFESTS["settings"]}
    for volume in volumes.values():
        if "persistentVolumeClaim" in volume:
            assert nodes(volume, "persistentVolumeClaim", "claimName") in claims


@pytest.mark.parametrize("name", ["worker", "gate"])
def test_a_key_comes_from_a_secret_that_only_its_owner_reads(name: str) -> None:
    (pod,) = pods(name)
    secrets = [cast("Node", v["secret"]) for v in cast("Sequence[Node]", pod["volumes"]) if "secret" in v]
    assert [(each["secretName"], each["defaultMode"]) for each in secrets] == [
        ({"worker": "log-key", "gate": "gate-key"}[name], 0o400)
    ]
    others = [other for other in OURS if other != name]
    assert not any(str(secrets[0]["secretName"]) in json.dumps(MANIFESTS[other]) for other in others)


def cluster_settings() -> Mapping[str, str]:
    (settings,) = [
        each
        for each in MANIFESTS["settings"]
        if nodes(each, "metadata", "name") == "tallystick" and "data" in each
    ]
    return cast("Mapping[str, str]", settings["data"])


def test_the_clusters_settings_can_be_read() -> None:
    shown = cluster_settings()
    with pytest.raises(BadSettingError, match="placeholder"):
        read_settings(shown)
    read_settings({**shown, "TALLYSTICK_DEPLOYMENT": CHOSEN["TALLYSTICK_DEPLOYMENT"]})


def test_the_api_is_asked_whether_it_is_ready() -> None:
    (pod,) = pods("api")
    assert nodes(container(pod), "readinessProbe", "httpGet", "path") == "/readyz"
    assert nodes(container(pod), "livenessProbe", "httpGet", "path") == "/healthz"


def test_nothing_comes_in_but_to_the_api_and_the_gate_reaches_no_mail() -> None:
    policies = {
        str(nodes(each, "metadata", "name")): cast("Node", each["spec"]) for each in MANIFESTS["network"]
    }
    assert nodes(policies["nothing"], "podSelector") == {}
    assert policies["nothing"].get("ingress", []) == policies["nothing"].get("egress", []) == []
    assert {name for name, spec in policies.items() if spec.get("ingress")} == {"api"}
    assert all(spec["policyTypes"] == ["Ingress", "Egress"] for spec in policies.values())
    ports = re.findall(r"'port': (\d+)", str(policies["gate"]["egress"]))
    assert sorted(set(ports)) == ["53", "5432", "7233"]
