"""The deployment's own statements."""

from activities.engine import engine_header, nonce_of, signed_by_engine
from tallystick.domain.authorship.authors import check_engine
from tallystick.domain.ids import Digest
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.statements.engine import Event
from tallystick.proof.reading import read_signed
from tests.support.worlds.agreements import AGREEMENT, LOG_KEY
from tests.support.worlds.groundwork import BEGIN
from tests.support.worlds.world import World

REQUEST: JsonObject = {"claim": "clm-1", "attempt": 1}


def event(request: JsonObject) -> Event:
    header = engine_header(World().terms, BEGIN, request)
    return Event(**header, happening=Happening.REPLICA_REPAIRED, cause=Digest("sha256:" + "0" * 64))


def test_same_request_makes_the_same_statement_and_another_makes_another() -> None:
    assert signed_by_engine(event(REQUEST), LOG_KEY) == signed_by_engine(event(REQUEST), LOG_KEY)
    assert event(REQUEST).nonce == nonce_of(REQUEST)
    assert event({**REQUEST, "attempt": 2}).nonce != nonce_of(REQUEST)


def test_statement_of_the_deployment_is_by_its_log_key_and_in_its_name() -> None:
    signed = read_signed(signed_by_engine(event(REQUEST), LOG_KEY), AGREEMENT)
    check_engine(AGREEMENT, signed)
    assert signed.kind is Kind.EVENT
    assert signed.signers == {LOG_KEY.public_key}
    assert signed.body.person == f"engine@{AGREEMENT.deployment}"
