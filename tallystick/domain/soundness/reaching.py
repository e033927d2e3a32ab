"""Rules for who can reach whom: shared business days, letters, evidence from others, and powers in use."""

from collections.abc import Iterator, Mapping
from typing import Final

from tallystick.domain.agreement.agreement import Agreement, NotInAgreementError
from tallystick.domain.agreement.conditions import Condition
from tallystick.domain.agreement.deadlines import WEEKDAYS
from tallystick.domain.agreement.destination import destination
from tallystick.domain.agreement.parties import Channel, ChannelKind, Party, Role
from tallystick.domain.amounts import joined
from tallystick.domain.ids import PartyId, PersonId, party_of
from tallystick.domain.soundness.finding import Finding, Rule, error, persons_of, warning

_OPEN_TO_ALL: Final = frozenset(
    (
        "126.com",
        "163.com",
        "aol.com",
        "bluewin.ch",
        "fastmail.com",
        "free.fr",
        "gmail.com",
        "gmx.at",
        "gmx.ch",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hey.com",
        "hotmail.com",
        "hushmail.com",
        "icloud.com",
        "laposte.net",
        "libero.it",
        "live.com",
        "mac.com",
        "mail.com",
        "mail.ru",
        "mailbox.org",
        "me.com",
        "msn.com",
        "orange.fr",
        "outlook.com",
        "pm.me",
        "posteo.de",
        "posteo.net",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "t-online.de",
        "tuta.com",
        "tutanota.com",
        "wanadoo.fr",
        "web.de",
        "yahoo.co.jp",
        "yahoo.co.uk",
        "yahoo.com",
        "yandex.com",
        "yandex.ru",
        "zoho.com",
        "discord.com",
        "hooks.slack.com",
        "hooks.zapier.com",
    )
)
"""Hosts of mail and of webhooks that give anybody an address of their own."""

_RECIPIENTS: Final = frozenset({Role.DEPOSITOR, Role.BENEFICIARY, Role.ESCROW_AGENT})


def business_days_shared(agreement: Agreement) -> Iterator[Finding]:
    """Require that each side shares a business day with every escrow agent."""
    agents = agreement.parties_in(Role.ESCROW_AGENT)
    for place, party in enumerate(agreement.parties):
        if party.role not in _RECIPIENTS:
            continue  # no period is ever counted for it
        weekends = {day for one in (party, *agents) for day in _weekend(agreement, one)}
        whole_week = any(set(WEEKDAYS) <= set(_weekend(agreement, one)) for one in (party, *agents))
        if set(WEEKDAYS) <= weekends and not whole_week:
            message = f"{party.id} and the escrow agent have no business day in common"
            advice = "Name calendars with a common business day, or use plain durations."
            yield error("no-common-business-day", f"/parties/{place}/calendar", message, advice)


def _weekend(agreement: Agreement, party: Party) -> tuple[str, ...]:
    try:
        return agreement.calendar(party.calendar).weekend
    except NotInAgreementError:
        return ()  # found by another rule


def notice_reaches_depositor_alone(agreement: Agreement) -> Iterator[Finding]:
    """Advise against a channel of the depositor's that another party reads as well, or could."""
    others = {
        _leads(channel): party.id
        for party in agreement.parties
        if party.role is not Role.DEPOSITOR
        for channel in party.channels
    }
    for party in agreement.parties_in(Role.DEPOSITOR):
        for number, channel in enumerate(party.channels):
            where = f"/parties/{agreement.parties.index(party)}/channels/{number}"
            yield from _read_by_others(party.id, where, _leads(channel), others)


def _read_by_others(
    depositor: PartyId,
    where: str,
    leads: tuple[ChannelKind, str],
    others: Mapping[tuple[ChannelKind, str], PartyId],
) -> Iterator[Finding]:
    host = _host(leads)
    if host in _OPEN_TO_ALL:
        host = ""  # the other party is a customer there, too, and opens nobody else's
    near = next((party for other, party in others.items() if host and _host(other) == host), None)
    if leads in others:
        message = f"{others[leads]} has the same address as {depositor}, and gets the notices meant for it"
        yield warning("channel-shared", where, message, "Give each party its own address.")
    elif near is not None:
        message = f"notice to {depositor} goes to {host}, where {near} gets its own letters"
        advice = "Name an address that no other party can open or close."
        yield warning("channel-hosted-by-other", where, message, advice)


def _leads(channel: Channel) -> tuple[ChannelKind, str]:
    return destination(channel.kind, channel.address)


def _host(leads: tuple[ChannelKind, str]) -> str:
    """Return the host of a destination, or nothing where it has none or cannot be read."""
    kind, address = leads
    if kind is ChannelKind.EMAIL:
        return address.rpartition("@")[2]
    return address.partition("://")[2].partition("/")[0].rpartition(":")[0]


def notice_leaves_the_deployment(agreement: Agreement) -> Iterator[Finding]:
    """Advise against notice that is proven though it lies only in folders of the deployment."""
    for place, party in enumerate(agreement.parties):
        kinds = {channel.kind for channel in party.channels}
        proves = agreement.notice.own_channels is not None and agreement.notice.deemed_after is not None
        if party.role is Role.DEPOSITOR and kinds == {ChannelKind.OUTBOX} and proves:
            message = f"notice to {party.id} counts, though it only lies in a folder of the deployment"
            advice = "Add an e-mail address or a webhook, or leave out `own_channels`."
            yield warning("notice-never-sent", f"/parties/{place}/channels", message, advice)


def powers_outlast_one_person(agreement: Agreement) -> Iterator[Finding]:
    """Advise that nobody's key is the only one that may claim, accept a claim, or object for a party."""
    powers = agreement.authorities
    lists = (
        ("/authorities/intake", "accept a claim", [powers.intake]),
        ("/objection/objectors", "object", [agreement.objection.objectors]),
        ("/authorities/claimants", "claim", list(_claimants(agreement))),
    )
    for where, what, lists_of_persons in lists:
        alone = [persons[0] for persons in lists_of_persons if len(set(persons)) == 1]
        if alone:
            message = f"only {joined(alone, 'and')} may {what}: if the key is lost, nobody does"
            yield warning("power-of-one-person", where, message, "Name another person of the same party.")


def _claimants(agreement: Agreement) -> Iterator[tuple[PersonId, ...]]:
    """Yield who may claim for each beneficiary."""
    for party in agreement.parties_in(Role.BENEFICIARY):
        yield tuple(one for one in agreement.authorities.claimants if party_of(one) == party.id)


def beneficiaries_can_claim(agreement: Agreement) -> Iterator[Finding]:
    """Advise that someone may claim for each beneficiary."""
    for place, party in enumerate(agreement.parties):
        own = {person.id for person in agreement.acting_for(party.id)}
        if party.role is Role.BENEFICIARY and own and not own & set(agreement.authorities.claimants):
            message = f"nobody may claim for {party.id}"
            yield warning(
                "beneficiary-cannot-claim",
                f"/parties/{place}",
                message,
                "Add one of its persons to `claimants`.",
            )


def arbitrators_have_power(agreement: Agreement) -> Iterator[Finding]:
    """Advise against an arbitrator who may not rule."""
    arbitrators = persons_of(agreement, Role.ARBITRATOR)
    quorum = agreement.authorities.arbitration
    if arbitrators and (quorum is None or not arbitrators & quorum.persons):
        message = f"{min(arbitrators)} acts for an arbitrator, but no arbitrator may rule"
        yield warning(
            "arbitrator-without-power", "/authorities/arbitration", message, "Name them in `arbitration`."
        )


def stolen_keys_revocable(agreement: Agreement) -> Iterator[Finding]:
    """Advise that each person's key can be revoked without that person."""
    quorum = agreement.authorities.revocation
    for person in sorted(quorum.persons):
        if not quorum.satisfied_by(quorum.persons - {person}):
            message = f"if the key of {person} is lost or stolen, nobody else can revoke it"
            yield warning(
                "revocation-needs-owner",
                "/authorities/revocation",
                message,
                "Let the others suffice without any one person.",
            )


def evidence_issued_by_others(agreement: Agreement) -> Iterator[Finding]:
    """Require an issuer of each document, and advise that neither side alone can make a condition true."""
    for place, item in enumerate(agreement.evidence):
        if not item.issuer.strip():
            message = f"nobody issues {item.id}"
            yield error("evidence-without-issuer", f"/evidence/{place}/issuer", message, "Say who issues it.")
        elif "@" in item.issuer and item.issuer not in {person.id for person in agreement.persons}:
            message = f"{item.issuer[:64]!r} issues {item.id}, but is no person of the agreement"
            yield warning(
                "evidence-issuer-unknown",
                f"/evidence/{place}/issuer",
                message,
                "Name a person of the agreement, or say in words who the issuer is.",
            )
    yield from _evidence_of(agreement, Role.BENEFICIARY, "evidence-by-claimant")
    yield from _evidence_of(agreement, Role.DEPOSITOR, "evidence-by-depositor")


def _evidence_of(agreement: Agreement, role: Role, code: str) -> Iterator[Finding]:
    """Yield the conditions that are true by the documents of one side, or never without them."""
    own = frozenset(
        item.id for item in agreement.evidence if item.issuer.strip().lower() in _names(agreement, role)
    )
    for place, condition in enumerate(agreement.conditions):
        if role is Role.BENEFICIARY and condition.when.items and condition.when.met_by(own):
            message = f"the claimant's own documents make {condition.id} true"
        elif role is Role.DEPOSITOR and _needs(condition, own):
            message = f"{condition.id} is never true unless the depositor issues a document"
        else:
            continue
        yield warning(code, f"/conditions/{place}/when", message, "Ask for a document by somebody else.")


def _needs(condition: Condition, own: frozenset[str]) -> bool:
    items = condition.when.items
    return bool(items & own) and not condition.when.met_by(items - own)


def _names(agreement: Agreement, role: Role) -> frozenset[str]:
    """Return what an issuer of one side may be called: by role, or by the name of a party or person."""
    word = "claimant" if role is Role.BENEFICIARY else "vendor"
    called = {role.value, f"the {role.value}", word, f"the {word}"}
    persons: frozenset[PersonId] = persons_of(agreement, role)
    for party in agreement.parties_in(role):
        called |= {party.id, party.name.strip().lower()}
    return frozenset(called | {person.lower() for person in persons})


RULES: Final[tuple[Rule, ...]] = (
    business_days_shared,
    notice_reaches_depositor_alone,
    notice_leaves_the_deployment,
    powers_outlast_one_person,
    beneficiaries_can_claim,
    arbitrators_have_power,
    stolen_keys_revocable,
    evidence_issued_by_others,
)
