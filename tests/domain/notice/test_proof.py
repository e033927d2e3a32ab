"""What proves notice, and to which channels it still has to go."""

from dataclasses import replace
from datetime import timedelta

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.parties import Channel, ChannelKind
from tallystick.domain.agreement.windows import OwnChannels
from tallystick.domain.claim.state import ClaimState, EventType
from tallystick.domain.inbox.undelivered import undelivered
from tallystick.domain.inbox.waiting import Awaited, waiting
from tallystick.domain.notice.proof import channels_left, deemed_receipt, notice_is_given
from tallystick.domain.progress.attempts import notice_due_at
from tallystick.domain.record.fold import turns
from tallystick.domain.statements.engine import ChannelResult
from tests.support.worlds.agreements import AGREEMENT as TELLING_ITSELF
from tests.support.worlds.world import World

AGREEMENT = replace(TELLING_ITSELF, notice=replace(TELLING_ITSELF.notice, own_channels=None))
FOLDER = ChannelResult(
    kind=ChannelKind.OUTBOX, address="nordwind", taken=True, own=True, detail="lies in the outbox"
)
MAIL = ChannelResult(
    kind=ChannelKind.EMAIL, address="legal@nordwind.example", taken=True, own=False, detail="taken"
)
REFUSED = replace(MAIL, taken=False, detail='the mail server answered 550: "5.7.1 sender refused"')


def accepted(agreement: Agreement = AGREEMENT) -> World:
    world = World(agreement=agreement, channels_take=False)
    world.files()
    world.accepts()
    return world


def amended(**changes: object) -> Agreement:
    return replace(AGREEMENT, notice=replace(AGREEMENT.notice, **changes))  # type: ignore[arg-type]


def noticed(*attempts: tuple[ChannelResult, ...], agreement: Agreement = AGREEMENT) -> World:
    """A claim of which notice was tried; each attempt is what each channel answered."""
    world = World(agreement=agreement, engine_runs=False)
    world.files()
    world.accepts()
    for channels in attempts:
        world.gives_notice(channels=channels)
        world.engine_runs = False
    return world


def test_the_deployments_own_folder_proves_no_notice() -> None:
    world = noticed((FOLDER, REFUSED))
    assert not notice_is_given(world.agreement, world.claim)
    claimed_otherwise = noticed((replace(FOLDER, own=False), REFUSED))
    assert not notice_is_given(world.agreement, claimed_otherwise.claim), (
        "a folder is one's own, whoever says so"
    )


def test_mail_that_a_catcher_kept_proves_no_notice() -> None:
    world = noticed((FOLDER, replace(MAIL, own=True)))
    assert not notice_is_given(world.agreement, world.claim)


def test_own_channels_prove_where_the_signed_agreement_says_so() -> None:
    world = noticed((FOLDER, REFUSED), agreement=amended(own_channels=OwnChannels.PROVE))
    assert notice_is_given(world.agreement, world.claim)


def test_channels_that_take_it_one_after_the_other_count_together_from_the_last() -> None:
    hook = replace(MAIL, kind=ChannelKind.WEBHOOK, address="https://hooks.nordwind.example/in")
    party = depositor(AGREEMENT)
    channels = (*party.channels, Channel(kind=hook.kind, address=hook.address))
    parties = (replace(party, channels=channels), *AGREEMENT.parties[1:])
    two = replace(amended(channels_required=2), parties=parties)
    world = noticed((MAIL, replace(hook, taken=False)), agreement=two)
    assert not notice_is_given(world.agreement, world.claim)
    world.now += timedelta(hours=1)
    world.gives_notice(channels=(hook,))
    assert notice_is_given(world.agreement, world.claim)


def test_one_mailbox_under_two_spellings_counts_once() -> None:
    party = depositor(AGREEMENT)
    loud = Channel(kind=ChannelKind.EMAIL, address="Legal@NORDWIND.example.")
    parties = (replace(party, channels=(*party.channels, loud)), *AGREEMENT.parties[1:])
    two = replace(amended(channels_required=2), parties=parties)
    world = noticed((MAIL, replace(MAIL, address=loud.address)), agreement=two)
    assert not notice_is_given(world.agreement, world.claim)


def test_a_channel_that_took_it_is_not_sent_it_again() -> None:
    world = noticed((FOLDER, REFUSED))
    assert [channel.address for _, channel in channels_left(world.agreement, world.claim)] == [MAIL.address]
    assert notice_due_at(world.agreement, world.claim) is not None


def test_without_a_channel_left_nothing_is_tried_and_that_is_reported() -> None:
    world = noticed((FOLDER, replace(MAIL, own=True)))
    assert notice_due_at(world.agreement, world.claim) is None
    told = undelivered(world.agreement, world.claim)
    assert told is not None
    assert "only an acknowledgement or a proof of service can prove it" in told
    assert "which proves nothing" in told


def test_an_address_is_quoted_where_it_proves_a_notice() -> None:
    world = noticed((MAIL,))
    deemed = deemed_receipt(world.agreement, world.claim)
    assert deemed is not None
    assert 'taken by email "legal@nordwind.example"' in deemed.explanation[0]


def test_what_nobody_took_is_called_so_and_the_agent_is_told_why_and_when_next() -> None:
    world = noticed((REFUSED,), (REFUSED,))
    *_, last = turns(world.terms, world.entries)
    assert last.event is EventType.NOTICE_NOT_TAKEN
    (told,) = (
        item for item in waiting(world.agreement, world.claim, world.now) if item.what is Awaited.NOTICE
    )
    assert told.on == ("ana@harbour", "abe@harbour")
    tried = 'notice was tried 2 times and is not given: not taken by email "legal@nordwind.example"'
    assert tried in told.why
    assert "550" in told.why
    assert "sender refused" in told.why
    assert "it is tried again at 20" in told.why


def test_what_a_channel_took_is_called_sent() -> None:
    world = noticed((FOLDER, MAIL))
    *_, last = turns(world.terms, world.entries)
    assert last.event is EventType.NOTICE_SENT
    assert undelivered(world.agreement, world.claim) is None
    assert world.claim.state is ClaimState.ACCEPTED
