"""The ids of the engine's work: each thing has one, and no two share one."""

from tallystick.domain.ids import AgreementId, ComponentId, Digest
from tallystick.messages import act_update_id, custody_workflow_id


def test_no_two_components_share_the_workflow_that_deals_their_custody() -> None:
    first = custody_workflow_id(AgreementId("nordwind"), ComponentId("halden-source"), 1)
    second = custody_workflow_id(AgreementId("nordwind-halden"), ComponentId("source"), 1)
    assert first != second


def test_an_act_is_another_update_once_the_record_has_grown() -> None:
    act = Digest("sha256:" + 64 * "1")
    assert act_update_id(act, 4) == act_update_id(act, 4) != act_update_id(act, 5)
