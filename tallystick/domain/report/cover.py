"""What the claim is, how it stands, and who is who: what a reader needs before anything else."""

from collections.abc import Iterator

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Party, Person
from tallystick.domain.amounts import joined
from tallystick.domain.claim.claim import Claim
from tallystick.domain.codec import instant_text
from tallystick.domain.comparison_words import in_words
from tallystick.domain.quoting import quoted
from tallystick.domain.report.grounds import Grounds
from tallystick.domain.report.layout import Section, Table, section, table
from tallystick.domain.report.words import STAGES, STATES
from tallystick.domain.shown.claims import claim_lines
from tallystick.domain.statements.deposits import Deposit


def outcome(grounds: Grounds) -> Section:
    """Return how the claim stands by its record, and what was released."""
    claim = grounds.claim
    return section(
        "Outcome",
        f"{STATES[claim.state]} The record calls this {claim.state}, since {instant_text(claim.since)}.",
        *_open(claim),
        table(
            ("Stage", "Components", "How it stands", "Since"),
            (2, 3, 3, 2),
            (
                (
                    progress.stage,
                    ", ".join(grounds.agreement.stage(progress.stage).components),
                    STAGES[progress.state],
                    instant_text(progress.since) if progress.since else "",
                )
                for progress in claim.stages
            ),
        ),
        "All times are in UTC: the moments at which the escrow service accepted a statement, as its log key "
        "signed them.",
    )


def _open(claim: Claim) -> Iterator[str]:
    if claim.open_objections:
        yield f"Objections stand by {joined([body.person for _, body in claim.open_objections], 'and')}."
    if claim.open_holds:
        yield f"Holds stand by {joined([body.person for _, body in claim.open_holds], 'and')}."


def people(grounds: Grounds) -> Section:
    """Return the parties, and the persons who act for them with their keys."""
    agreement = grounds.agreement
    named = table(
        ("Person", "Name", "Party", "Signs with the key"),
        (2, 2, 2, 5),
        (_person(grounds.claim, person) for person in agreement.persons),
    )
    parties = table(("Party", "Name", "Role"), (2, 4, 3), (_party(party) for party in agreement.parties))
    return section("Parties and persons", parties, named)


def _party(party: Party) -> tuple[str, ...]:
    return party.id, quoted(party.name), party.role.replace("_", " ")


def _person(claim: Claim, person: Person) -> tuple[str | tuple[str, ...], ...]:
    revoked = claim.revoked_at(person.signing_key)
    since = () if revoked is None else (f"revoked at {instant_text(revoked)}",)
    return person.id, quoted(person.name), person.party, (person.signing_key, *since)


def asked(grounds: Grounds) -> Section:
    """Return what was claimed, on what grounds, and what the deposit holds."""
    claim = grounds.claim
    return section(
        "The claim",
        *claim_lines(grounds.agreement, claim.digest, claim.filing),
        _deposited(grounds.deposit),
    )


def _deposited(deposit: Deposit) -> Table:
    return table(
        ("Component", "Files", "Bytes", "Digest of the sealed file"),
        (2, 1, 2, 5),
        (
            (one.component, f"{one.files}", f"{one.payload_bytes}", one.sealed_digest)
            for one in deposit.components
        ),
    )


def _agreed(agreement: Agreement) -> str:
    return f"{quoted(agreement.title)}: agreement {agreement.id}, version {agreement.version}"


def identity(grounds: Grounds) -> Section:
    """Return which claim, agreement and file this report is about, by what cannot be mistaken."""
    claim, agreement = grounds.claim, grounds.agreement
    pinned = claim.filing.agreement_digest
    return section(
        "What this report is about",
        table(
            ("", ""),
            (2, 7),
            (
                ("Claim", (claim.id, claim.digest, in_words(claim.digest))),
                ("Agreement", (_agreed(agreement), pinned, in_words(pinned))),
                ("Deployment", agreement.deployment),
                ("Filed", f"{instant_text(claim.filed_at)}, by {claim.filing.person}"),
                *_confirmed(claim),
                (
                    "Evidence file",
                    f"{grounds.file_digest}, {grounds.file_size_bytes} bytes",
                ),
                (
                    "Made",
                    f"signed by the escrow service at {instant_text(grounds.made_at)}",
                ),
            ),
        ),
        "This report says in words what that file proves. The file decides: anyone can verify it with "
        "`tallystick evidence verify`, without asking anybody.",
    )


def _confirmed(claim: Claim) -> tuple[tuple[str, str], ...]:
    if claim.confirmation is None:
        return ()
    entry, body = claim.confirmation
    party = claim.claimant_party
    return (("Confirmed", f"{instant_text(entry.accepted_at)}, by {body.person}, for {party}"),)
