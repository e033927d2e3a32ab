"""The deployment that carries an agreement, as anyone may read it."""

import pytest

from tallystick.domain.agreement.deployment import Deployment, read_deployment, write_deployment
from tallystick.domain.codec import MalformedDocumentError
from tallystick.domain.ids import DeploymentId
from tests.support.worlds.agreements import AGREEMENT
from tests.support.worlds.groundwork import key_of

HERE = Deployment(id=DeploymentId("test"), engine=AGREEMENT.engine, root_keys=(key_of("ana@harbour"),))


def test_deployment_is_written_with_its_members_side_by_side() -> None:
    assert write_deployment(HERE) == {
        "deployment": "test",
        "log_key": AGREEMENT.engine.log_key,
        "decision_key": AGREEMENT.engine.decision_key,
        "gate_recipient": AGREEMENT.engine.gate_recipient,
        "root_keys": [key_of("ana@harbour")],
    }


def test_what_was_written_is_read_as_the_same() -> None:
    assert read_deployment(write_deployment(HERE)) == HERE
    assert read_deployment(write_deployment(HERE)).engine == AGREEMENT.engine


@pytest.mark.parametrize("lacking", ["deployment", "log_key", "decision_key", "gate_recipient", "root_keys"])
def test_deployment_that_lacks_a_member_or_has_another_is_refused(lacking: str) -> None:
    members = write_deployment(HERE)
    with pytest.raises(MalformedDocumentError):
        read_deployment({name: value for name, value in members.items() if name != lacking})
    with pytest.raises(MalformedDocumentError):
        read_deployment({**members, f"{lacking}_2": members[lacking]})
