"""Agreements whose windows are seconds, for releases that are driven on real processes."""

from dataclasses import replace
from datetime import UTC, date, datetime
from datetime import time as clock_time
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deployment import Deployment
from tallystick.domain.agreement.parties import Channel, ChannelKind
from tallystick.domain.agreement.plan import Opening, Opens
from tallystick.domain.agreement.windows import Calendar, NoticeRule, OwnChannels, Windows
from tallystick.domain.ids import AgreementId
from tallystick.domain.periods import Period
from tests.support.worlds.agreements import AGREEMENT, COMPONENTS, CRITICAL, STAGES

_EVERY_DAY: Final = Calendar(id="every-day", weekend=(), holidays=(), covers_until=date(2099, 12, 31))
WINDOW: Final = Period("PT3S")


def quick_agreement(
    name: str, deployment: Deployment, *, stages: int = 1, window: Period = WINDOW
) -> Agreement:
    """An agreement like the sound one, of the deployment, whose windows are seconds."""
    chosen = (STAGES[1], replace(STAGES[2], opens=_soon_after_critical()))[:stages]
    parts = {part for stage in chosen for part in stage.components} - ({"activation-rules"})
    outbox = (Channel(kind=ChannelKind.OUTBOX, address="outbox"),)
    return replace(
        AGREEMENT,
        id=AgreementId(name),
        deployment=deployment.id,
        calendars=(_EVERY_DAY,),
        parties=tuple(replace(one, calendar="every-day", channels=outbox) for one in AGREEMENT.parties),
        components=tuple(one for one in COMPONENTS if one.id in parts),
        stages=tuple(
            replace(stage, components=tuple(one for one in stage.components if one in parts))
            for stage in chosen
        ),
        windows=Windows(
            intake=Period("PT10M"),
            objection=window,
            approval=Period("PT10M"),
            approval_lifetime=Period("PT1H"),
            provisioning=Period("PT10M"),
            returning=Period("PT10M"),
        ),
        notice=NoticeRule(
            cutoff=clock_time(23, 59),
            resumes=clock_time(0),
            deemed_after=Period("PT1S"),
            channels_required=1,
            own_channels=OwnChannels.PROVE,
        ),
        engine=deployment.engine,
    )


def minutes_agreement() -> Agreement:
    """The sound agreement with a window of seconds, for a release at any time of this century."""
    return replace(
        AGREEMENT,
        calendars=(_EVERY_DAY,),
        effective_from=datetime(2020, 1, 1, tzinfo=UTC),
        parties=tuple(replace(one, calendar="every-day") for one in AGREEMENT.parties),
        windows=replace(AGREEMENT.windows, objection=WINDOW, provisioning=Period("PT48H")),
        notice=NoticeRule(cutoff=clock_time(23, 59), resumes=clock_time(0), deemed_after=Period("PT1S")),
    )


def _soon_after_critical() -> Opening:
    return Opening(when=Opens.AFTER_STAGE, stage=CRITICAL, delay=Period("PT1S"))
