"""After a full claim no secret is anywhere in the site, in any spelling; a planted one is found."""

import base64
import io
import json
import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tallystick.client.bearer import bearer_token
from tallystick.crypto import age
from tallystick.crypto.age.header import read_header
from tallystick.crypto.custody.gate import contributed_identity, gate_share
from tallystick.crypto.envelope import envelope_bytes
from tallystick.crypto.keyfile import PrivateKeys, read_key_file
from tallystick.domain.agreement.agreement import readers
from tallystick.domain.ids import Digest, sha256_digest
from tallystick.domain.statements.acts import Hold
from tallystick.domain.statements.filing import EvidenceDocument
from tallystick.site import Site
from tests.support.judges.canaries import Leak, contents, forms, leaks
from tests.support.sites.faulty_site import faulty, new_site
from tests.support.stories.releases import Release
from tests.support.worlds.agreements import ANA, BEA, DORA, KIM, TOM, keys_of
from tests.support.worlds.quick_agreements import quick_agreement

LOG_KEYS = "keys/log.key"
LETTER_KEYS = "keys/letter.key"
GATE_KEYS = "gate/gate.key"


@dataclass(kw_only=True)
class Claimed:
    """A site that has carried a whole claim and was stopped, and the secrets that must be nowhere in it."""

    site: Site
    release: Release
    secrets: dict[str, bytes] = field(default_factory=dict[str, bytes])
    answers: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def keep(self, name: str, secret: bytes | str) -> None:
        self.secrets[name] = secret.encode() if isinstance(secret, str) else secret

    def keep_keys(self, name: str, keys: PrivateKeys) -> None:
        self.keep(f"{name}: signing seed", keys.signing_key.secret_seed())
        self.keep(f"{name}: identity", keys.age_identity)
        self.keep(f"{name}: identity's seed", age.parse_identity(keys.age_identity).seed)


def evidence(release: Release, item: str, plain: bytes) -> EvidenceDocument:
    """Store a document, sealed to those who may read it, as a claimant does."""
    data = age.seal_bytes(
        plain, [age.parse_recipient(one.age_recipient) for one in readers(release.agreement)]
    )
    return replace(release.document(item, data), plain_digest=sha256_digest(plain))


def file_key(sealed: bytes, identity: age.HybridIdentity) -> bytes:
    file_key = identity.unwrap(read_header(io.BytesIO(sealed)).stanzas)
    assert file_key is not None
    return file_key


def blob(site: Site, digest: Digest) -> bytes:
    return next(site.root.glob(f"blobs-*/blobs/*/*/{digest.removeprefix('sha256:')}")).read_bytes()


def keep_custody(claimed: Claimed) -> None:
    """Remember the gate's shares, the secrets they make, and the keys that seal the components."""
    release, site = claimed.release, claimed.site
    gate = age.parse_identity(read_key_file(site.gate_key_file).age_identity)
    own = age.parse_identity(keys_of(BEA).age_identity)
    for part in release.parts:
        body, name = part.custody, part.deposited.component
        share = gate_share(body, blob(site, body.shares[0].sealed_digest), gate)
        claimed.keep(f"{name}: share's value", share.value)
        claimed.keep(f"{name}: share's blinding", share.blinding)
        given = {leaf: blob(site, digest) for leaf, digest in part.contributions.items()}
        identity = contributed_identity(body, given, claim=release.claim, identity=own)
        claimed.keep(f"{name}: custody seed", identity.seed)
        claimed.keep(f"{name}: custody identity", identity.secret_text())
        sealed = blob(site, part.deposited.sealed_digest)
        claimed.keep(f"{name}: data key", file_key(sealed, identity))


def ask(claimed: Claimed, api: str, figures: str) -> None:
    """Ask for all that anyone may read, and for much that is refused, with tokens that must stay secret."""
    release = claimed.release
    claim = f"/v1/claims/{release.claim}"
    with httpx.Client(base_url=api, timeout=30) as http:
        document = http.get("/v1/openapi.json").json()
        fixed = {"{claim}": release.claim, "{agreement}": release.agreement.id, "{kind}": "hold"}
        fixed |= {"{index}": "0", "{number}": "1", "{digest}": Digest("sha256:" + 64 * "0")}
        for person in (ANA, BEA, TOM):
            token = bearer_token(keys_of(person), deployment="test", at=datetime.now(UTC))
            claimed.keep(f"{person}: token", token)
            claimed.keep(f"{person}: token's signature", token.rpartition(".")[2])
            headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
            for path, operations in document["paths"].items():
                for name, value in fixed.items():
                    path = path.replace(name, str(value))  # noqa: PLW2901
                if path.endswith("/events"):
                    continue  # never ends
                for method in operations:
                    answer = http.request(method, path, headers=headers)
                    claimed.answers[f"{person} {method} {path}"] = answer.content
            act = release.act(Hold, TOM, reason="not by a holder", stages=None)
            for what, sent in (
                ("altered", {"authorization": f"Bearer {token[:-4]}AAAA"}),
                ("another scheme", {"authorization": f"Basic {token}"}),
                ("twice", {"authorization": f"Bearer {token} {token}"}),
                ("in a query", {}),
            ):
                where = f"{claim}?token={token}" if what == "in a query" else claim
                claimed.answers[f"{person} {what}"] = http.get(where, headers=sent).content
            refused = http.post(f"{claim}/holds", content=envelope_bytes(act), headers=headers)
            claimed.answers[f"{person} refused"] = refused.content
        claimed.answers["metrics"] = httpx.get(figures, trust_env=False).content
        claimed.answers["openapi"] = json.dumps(document).encode()


@pytest.fixture(scope="module")
def claimed(tmp_path_factory: pytest.TempPathFactory) -> Claimed:
    folder = tmp_path_factory.mktemp("secrets")
    scratch = folder / "scratch"
    scratch.mkdir()
    site = new_site(folder)
    with faulty(site) as up:
        agreement = quick_agreement("secrets", site.deployment())
        with closing(
            Release(api=up.api, database=up.database, agreement=agreement, scratch=scratch)
        ) as release:
            done = Claimed(site=site, release=release)
            carry(done)
            keep_custody(done)
            ask(done, up.api, up.figures)
    for person in (ANA, BEA, DORA, KIM, TOM):
        done.keep_keys(person, keys_of(person))
    done.keep_keys("log", read_key_file(site.log_key_file))
    done.keep_keys("letters", read_key_file(site.letter_key_file))
    done.keep_keys("gate", read_key_file(site.gate_key_file))
    return done


def carry(claimed: Claimed) -> None:
    """Carry a claim from agreement to evidence, with a deposit and papers whose content is unmistakable."""
    release = claimed.release
    release.contents = {part.id: secrets.token_bytes(32) for part in release.agreement.components}
    for name, plain in release.contents.items():
        claimed.keep(f"{name}: plaintext", plain)
    release.agree()
    release.deposit()
    papers = {item: secrets.token_bytes(32) for item in ("insolvency-record", "officer-declaration")}
    for item, plain in papers.items():
        claimed.keep(f"{item}: plaintext", plain)
    release.file(evidence=tuple(evidence(release, item, plain) for item, plain in papers.items()))
    release.accept()
    for person in (ANA, KIM):
        release.approve(person)
    release.recorded("window-ended")
    release.approve(TOM)
    for stage in release.agreement.stages:
        release.receive(stage.id)
    release.recorded("release-completed")
    release.check_evidence("RELEASED")


@pytest.fixture(scope="module")
def found(claimed: Claimed) -> list[Leak]:
    """Every secret that occurs in what the site keeps or answers, and every place that names its claim."""
    wanted = {**claimed.secrets, "claim": claimed.release.claim.encode()}
    return leaks(wanted, [*contents(claimed.site.root), *claimed.answers.items()])


@pytest.mark.timeout(240)
def test_no_secret_stands_anywhere_in_any_form(claimed: Claimed, found: list[Leak]) -> None:
    assert len(claimed.secrets) > 30
    assert len(claimed.answers) > 100
    own_files = {LOG_KEYS, LETTER_KEYS, GATE_KEYS}
    assert [leak for leak in found if leak.secret != "claim" and leak.where not in own_files] == []


def test_every_store_of_the_site_is_looked_through(claimed: Claimed, found: list[Leak]) -> None:
    """What must be somewhere is found there: the claim's digest, and the keys in their own files."""
    named = {leak.where for leak in found if leak.secret == "claim"}
    assert {"tallystick.db (values)", "temporal.db (values)"} <= named
    assert {LOG_KEYS, LETTER_KEYS, GATE_KEYS} <= {leak.where for leak in found if leak.secret != "claim"}
    looked = {where for where, _ in contents(claimed.site.root)}
    for part in ("logs/api.log", "logs/worker.log", "logs/gate.log", "logs/temporal.log", "deployment.json"):
        assert part in looked, looked
    for folder in ("blobs-a/", "blobs-b/", "outbox/", "gate/journal/"):
        assert any(where.startswith(folder) for where in looked), folder


def test_a_planted_secret_is_found_in_every_form(tmp_path: Path) -> None:
    secret = secrets.token_bytes(32)
    for place, (form, written) in enumerate(forms(secret).items()):
        folder = tmp_path / str(place)
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "log").write_bytes(b"before " + written + b" after")
        with closing(sqlite3.connect(folder / "store.db")) as connection, connection:
            connection.execute("CREATE TABLE things (name TEXT, value BLOB)")
            connection.execute("INSERT INTO things VALUES ('a', ?)", (3900 * b"." + written + 9000 * b".",))
        planted = {(leak.form, leak.where) for leak in leaks({"planted": secret}, contents(folder))}
        assert (form, "deep/log") in planted, form
        assert (form, "store.db (values)") in planted, form


def test_a_secret_within_base64_of_more_is_found() -> None:
    secret = secrets.token_bytes(32)
    for before in range(4):
        for after in range(4):
            whole = secrets.token_bytes(before) + secret + secrets.token_bytes(after)
            for text in (base64.b64encode(whole), base64.urlsafe_b64encode(whole)):
                assert leaks({"planted": secret}, [("text", text)]), (before, after)
