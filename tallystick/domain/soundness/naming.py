"""Rules for names: unique, well formed, not too many, and each names something that exists."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tallystick.domain import ids
from tallystick.domain.agreement.agreement import SCHEMA, Agreement
from tallystick.domain.agreement.parties import Role
from tallystick.domain.claim.receivers import may_receive
from tallystick.domain.errors import MalformedNameError
from tallystick.domain.ids import party_of
from tallystick.domain.soundness.finding import Finding, Rule, error, person_lists, quorums, warning
from tallystick.limits import agreements as limits
from tallystick.limits.claims import RECEIVERS_MAX

_NAME_IT: Final = "Name one that the agreement has, or add it."


def known_schema(agreement: Agreement) -> Iterator[Finding]:
    """Require the one schema that this engine knows how to read."""
    if agreement.schema != SCHEMA:
        yield error(
            "unknown-schema", "/schema", f"the schema {agreement.schema} is unknown", f"Write {SCHEMA}."
        )


def version_chain(agreement: Agreement) -> Iterator[Finding]:
    """Require that version 1 supersedes nothing, and that every later one does."""
    if agreement.version < 1:
        yield error("version-number", "/version", f"the version is {agreement.version}", "Count from 1.")
    elif agreement.version == 1 and agreement.supersedes is not None:
        yield error(
            "version-chain", "/supersedes", "version 1 cannot supersede another", "Remove `supersedes`."
        )
    elif agreement.version > 1 and agreement.supersedes is None:
        advice = f"Name the digest of version {agreement.version - 1} in `supersedes`."
        yield error("version-chain", "/version", "it does not say which version it supersedes", advice)


def unique_ids(agreement: Agreement) -> Iterator[Finding]:
    """Require that no two things of one kind share a name."""
    for kind, named in _named(agreement):
        for place in _repeats(named):
            message = f"{named[place]} occurs twice in {kind}"
            yield error("duplicate-id", f"/{kind}/{place}/id", message, "Give each its own name.")


def well_formed_ids(agreement: Agreement) -> Iterator[Finding]:
    """Require plain names, even in members that allow any text."""
    for kind, named in _named(agreement):
        if kind not in {"calendars", "conditions", "evidence"}:
            continue  # checked as they were read
        for place, name in enumerate(named):
            if not _is_name(name):
                yield error(
                    "malformed-name",
                    f"/{kind}/{place}/id",
                    f"{name[:64]!r} is not a name",
                    "Use a-z, 0-9, . and -.",
                )


def one_person_a_key(agreement: Agreement) -> Iterator[Finding]:
    """Require that nobody has two names: a person *is* the signing key."""
    keys = [person.signing_key for person in agreement.persons]
    for place in _repeats(keys):
        first = agreement.persons[keys.index(keys[place])].id
        message = f"{agreement.persons[place].id} has the key of {first}: they are one person"
        yield error("duplicate-key", f"/persons/{place}/signing_key", message, "List each key once.")
    recipients = [person.age_recipient for person in agreement.persons]
    for place in _repeats(recipients):
        message = f"{agreement.persons[place].id} shares an age recipient with someone else"
        yield error(
            "duplicate-recipient", f"/persons/{place}/age_recipient", message, "Each person needs their own."
        )


def engine_keys_apart(agreement: Agreement) -> Iterator[Finding]:
    """Require that the engine's two keys differ, and are not a person's: the log key can release nothing."""
    engine = agreement.engine
    persons = {person.signing_key for person in agreement.persons}
    if engine.log_key == engine.decision_key:
        yield error("engine-key-shared", "/engine", "one key both logs and decides", "Make two keys.")
    for member, key in (("log_key", engine.log_key), ("decision_key", engine.decision_key)):
        if key in persons:
            yield error(
                "engine-key-shared",
                f"/engine/{member}",
                "it is also a person's key",
                "Make a key for it alone.",
            )


def plausible_recipients(agreement: Agreement) -> Iterator[Finding]:
    """Require age recipients, and advise the post-quantum kind: deposits outlive their keys' design."""
    for place, person in enumerate(agreement.persons):
        where = f"/persons/{place}/age_recipient"
        if not person.age_recipient.startswith("age1"):
            yield error(
                "age-recipient",
                where,
                f"{person.id} has no age recipient",
                "Copy it from the person's .pub file.",
            )
        elif not person.age_recipient.startswith("age1pq1"):
            message = f"{person.id}'s recipient is not post-quantum"
            yield warning("age-recipient-classic", where, message, "Make a key with `tallystick key new`.")


def receivers_post_quantum(agreement: Agreement) -> Iterator[Finding]:
    """Require post-quantum recipients of those to whom claims are sealed, all of them in one file."""
    receivers = {
        person
        for party in agreement.parties_in(Role.BENEFICIARY)
        for person in may_receive(agreement, party.id)
    }
    for place, person in enumerate(agreement.persons):
        recipient = person.age_recipient
        if person.id in receivers and recipient.startswith("age1") and not recipient.startswith("age1pq1"):
            message = f"no claim can be sealed to {person.id}, who has no post-quantum recipient"
            advice = "Make a key with `tallystick key new`, or list the receivers without this person."
            yield error("receiver-classic", f"/persons/{place}/age_recipient", message, advice)


def receivers_few(agreement: Agreement) -> Iterator[Finding]:
    """Require no more receivers of a party than one share is sealed to: drafts name all of them."""
    for party in agreement.parties_in(Role.BENEFICIARY):
        count = sum(party_of(person) == party.id for person in agreement.authorities.receivers)
        if count > RECEIVERS_MAX:
            message = f"{count} persons of {party.id} are receivers, and a claim has {RECEIVERS_MAX} at most"
            yield error("too-many-receivers", "/authorities/receivers", message, "List fewer of them.")


def readers_sealed_to_together(agreement: Agreement) -> Iterator[Finding]:
    """Require readers to whom one file can be sealed: age mixes no post-quantum recipients with others."""
    persons = {person.id: person.age_recipient for person in agreement.persons}
    readers = [reader for reader in agreement.evidence_readers if reader in persons]
    classic = [reader for reader in readers if not persons[reader].startswith("age1pq1")]
    if classic and len(classic) < len(readers):
        message = (
            f"no file can be sealed to {classic[0]}, who has no post-quantum recipient, and to the others"
        )
        advice = "Make a key with `tallystick key new` for everyone who reads evidence."
        yield error("age-recipients-mixed", "/evidence_readers", message, advice)


def bounded(agreement: Agreement) -> Iterator[Finding]:
    """Require no more of anything than `limits` allows."""
    most = {
        "parties": limits.PARTIES_MAX,
        "persons": limits.PERSONS_MAX,
        "components": limits.COMPONENTS_MAX,
        "stages": limits.STAGES_MAX,
        "conditions": limits.CONDITIONS_MAX,
        "evidence": limits.EVIDENCE_ITEMS_MAX,
        "calendars": limits.PARTIES_MAX,
    }
    counts = [(f"/{kind}", len(named), most[kind]) for kind, named in _named(agreement)]
    counts += [
        (f"/calendars/{place}/holidays", len(calendar.holidays), limits.HOLIDAYS_MAX)
        for place, calendar in enumerate(agreement.calendars)
    ]
    counts += [
        (f"/parties/{place}/channels", len(party.channels), limits.CHANNELS_MAX)
        for place, party in enumerate(agreement.parties)
    ]
    for where, count, limit in counts:
        if count > limit:
            yield error("too-many", where, f"there are {count}", f"Write at most {limit}.")


def known_parties(agreement: Agreement) -> Iterator[Finding]:
    """Require that every person's party exists, and every party's calendar."""
    parties = {party.id for party in agreement.parties}
    calendars = {calendar.id for calendar in agreement.calendars}
    for place, person in enumerate(agreement.persons):
        if person.party not in parties:
            yield error(
                "unknown-party", f"/persons/{place}/id", f"there is no party {person.party}", _NAME_IT
            )
    for place, party in enumerate(agreement.parties):
        if party.calendar not in calendars:
            message = f"there is no calendar {party.calendar}"
            yield error("unknown-calendar", f"/parties/{place}/calendar", message, _NAME_IT)


def known_persons(agreement: Agreement) -> Iterator[Finding]:
    """Require that everyone who may do something is a person of the agreement."""
    known = {person.id for person in agreement.persons}
    named: list[tuple[str, Iterable[ids.PersonId]]] = [
        *person_lists(agreement),
        *((where, sorted(quorum.persons)) for where, quorum in quorums(agreement)),
    ]
    for where, persons in named:
        for person in persons:
            if person not in known:
                yield error("unknown-person", where, f"there is no person {person}", _NAME_IT)


def known_announcer(agreement: Agreement) -> Iterator[Finding]:
    """Require that someone announces a release, and that someone owns the risk."""
    known = {person.id for person in agreement.persons}
    if agreement.communications.announcer not in known:
        message = f"there is no person {agreement.communications.announcer}"
        yield error(
            "missing-announcer", "/communications/announcer", message, "Name who announces a release."
        )
    if agreement.governance.risk_owner not in known:
        message = f"there is no person {agreement.governance.risk_owner}"
        yield error("missing-risk-owner", "/governance/risk_owner", message, "Name who owns the risk.")


def known_parts(agreement: Agreement) -> Iterator[Finding]:
    """Require that stages open components, and follow stages, that exist."""
    components = {component.id for component in agreement.components}
    stages = {stage.id for stage in agreement.stages}
    for place, stage in enumerate(agreement.stages):
        for item, component in enumerate(stage.components):
            if component not in components:
                where = f"/stages/{place}/components/{item}"
                yield error("unknown-component", where, f"there is no component {component}", _NAME_IT)
        if stage.opens.stage is not None and stage.opens.stage not in stages:
            where = f"/stages/{place}/opens/stage"
            yield error("unknown-stage", where, f"there is no stage {stage.opens.stage}", _NAME_IT)


def _named(agreement: Agreement) -> Iterator[tuple[str, Sequence[str]]]:
    yield "calendars", [calendar.id for calendar in agreement.calendars]
    yield "parties", [party.id for party in agreement.parties]
    yield "persons", [person.id for person in agreement.persons]
    yield "components", [component.id for component in agreement.components]
    yield "evidence", [item.id for item in agreement.evidence]
    yield "conditions", [condition.id for condition in agreement.conditions]
    yield "stages", [stage.id for stage in agreement.stages]


def _repeats(named: Sequence[str]) -> list[int]:
    """Return the places of values that occur at an earlier place too."""
    seen: set[str] = set()
    repeats: list[int] = []
    for place, name in enumerate(named):
        if name in seen:
            repeats.append(place)
        seen.add(name)
    return repeats


def _is_name(text: str) -> bool:
    try:
        ids.name(text)
    except MalformedNameError:
        return False
    return True


RULES: Final[tuple[Rule, ...]] = (
    known_schema,
    version_chain,
    unique_ids,
    well_formed_ids,
    one_person_a_key,
    engine_keys_apart,
    plausible_recipients,
    receivers_post_quantum,
    receivers_few,
    readers_sealed_to_together,
    bounded,
    known_parties,
    known_persons,
    known_announcer,
    known_parts,
)
