"""A database for one test, and short ways to record statements in it."""

import base64
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session

from tallystick.crypto.envelope import Envelope, sign, statement_id
from tallystick.crypto.keys import SigningKey
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import AgreementId, DeploymentId, Digest, StageId
from tallystick.domain.json import JsonValue
from tallystick.domain.kinds import Purpose
from tallystick.domain.record.generations import newest_generation
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.settings import Settings
from tallystick.store.database.session import open_database
from tallystick.store.database.tables import create_tables
from tallystick.store.ledger.entry import LedgerEntry, names_of
from tallystick.store.ledger.ledger import append
from tests.support.worlds.agreements import AGREEMENT, BEA, DORA, agreement, signing_key

AT: Final = datetime(2026, 11, 24, 9, tzinfo=UTC)
DEPLOYMENT: Final = DeploymentId("test")
LOG: Final = AGREEMENT.id
OTHER_LOG: Final = AgreementId("another-agreement")
AUTHOR: Final = signing_key("author")
NO_DIGEST: Final = Digest("sha256:" + 64 * "0")


def new_engine(folder: Path, *, busy_max: timedelta = timedelta(seconds=15)) -> Engine:
    """An empty database in `folder`, with all tables."""
    database = open_database(f"sqlite:///{folder}/store.db", busy_max=busy_max)
    create_tables(database)
    return database


def said(kind: str, number: int, /, keys: Sequence[SigningKey] = (AUTHOR,), **members: JsonValue) -> Envelope:
    """A signed statement of `kind`, different for each number."""
    return sign(kind, {"nonce": f"{number:032x}", **members}, list(keys))


def add(session: Session, envelope: Envelope, *, at: datetime = AT, log: AgreementId = LOG) -> LedgerEntry:
    """Append `envelope` under the names that it bears."""
    names = names_of(envelope)
    return append(session, log, envelope, at, claim=names.claim, decision=names.decision)


def signed_agreement(**changes: object) -> Envelope:
    """The sound agreement, some of it replaced, as a statement."""
    return sign("agreement", encode_object(agreement(**changes)), [AUTHOR])


def deposit(number: int, previous: Envelope | None = None, *, nonce: int = 0) -> Envelope:
    """Deposit `number` under the agreement, after `previous`."""
    body = Deposit(
        deployment=DEPLOYMENT,
        agreement=LOG,
        agreement_digest=NO_DIGEST,
        person=DORA,
        issued_at=AT,
        nonce=f"{nonce:032x}",
        number=number,
        watermark=AT,
        components=(),
        previous=None if previous is None else statement_id(previous),
    )
    return sign("deposit", encode_object(body), [AUTHOR])


def claim(number: int, *, log: AgreementId = LOG) -> Envelope:
    """A claim under an agreement, different for each number."""
    body = ClaimFiling(
        deployment=DEPLOYMENT,
        agreement=log,
        agreement_digest=NO_DIGEST,
        person=BEA,
        issued_at=AT,
        nonce=f"{number:032x}",
        generation=newest_generation(),
        condition="insolvency",
        deposit=NO_DIGEST,
        stages=(StageId("critical"),),
        evidence=(),
        purpose=Purpose.RELEASE,
        declaration="So it is.",
    )
    return sign("claim", encode_object(body), [AUTHOR])


def decision(claim: Digest, stage: str, number: int, *, released: bool = True) -> Envelope:
    """The gate's decision on a stage, a different statement for each number."""
    return said("decision", number, claim=claim, stage=stage, released=released)


def happened(database: Path, agreement_id: AgreementId) -> list[str]:
    """What an SQLite file has under an agreement, in order and in short; nothing is verified."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            'SELECT kind, envelope FROM ledger_entries WHERE agreement_id = ? ORDER BY "index"',
            (agreement_id,),
        ).fetchall()
    return [_happening(kind, envelope) for kind, envelope in rows]


def _happening(kind: str, envelope: bytes) -> str:
    """What an entry is about; a refusal of the gate is `refused STAGE`."""
    if kind not in {"event", "decision"}:
        return kind
    body = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    if kind == "event":
        return str(body["happening"])
    return f"{'released' if body['released'] else 'refused'} {body['stage']}"


def ledger_file(settings: Settings) -> Path:
    """Return the SQLite file of a site whose ledger is in one."""
    return Path(settings.database_url.removeprefix("sqlite:///"))
