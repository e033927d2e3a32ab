"""`tallystick agreement`: start a draft, check it, sign it, register it, read it."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli.commands.new_draft import new_draft
from tallystick.cli.envelopes import hand_on
from tallystick.cli.opened import opened, private_keys
from tallystick.cli.options import AgreementName, Api, Json, Key, MaybeApi, Trusted, Yes
from tallystick.cli.output import print_json, print_result, print_table, say, say_left_out, say_unverified
from tallystick.cli.signing import asking
from tallystick.client.answers import envelope_in, objects, text
from tallystick.client.route import route
from tallystick.crypto.envelope import (
    Envelope,
    body_of,
    kind_of,
    statement_id,
    unsigned,
    verified_signers,
)
from tallystick.desk.agreement_file import canonical_agreement, read_agreement_file
from tallystick.desk.clock import now
from tallystick.desk.files import read_envelope, read_file
from tallystick.desk.signing import previous_version, signed_if_confirmed
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.codec import decode, encode_object
from tallystick.domain.comparison_words import comparison_words, in_words
from tallystick.domain.ids import Digest
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.shown.summary import summarise
from tallystick.domain.soundness.check import errors_among, examine, refuse_unsound
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX
from tallystick.proof.reading import check_keys, read_agreement

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Start, check, sign, register and read agreements."
)

app.command("new")(new_draft)

AgreementFile = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="An agreement in YAML or JSON, or an envelope that others signed."),
]


@app.command()
def check(
    file: AgreementFile,
    canonical: Annotated[
        bool, typer.Option("--canonical", help="Print the exact bytes that are signed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Explain what is wrong or unwise in an agreement; exit 1 if it cannot be registered."""
    agreement = _drafted(file)
    if canonical:
        typer.get_binary_stream("stdout").write(canonical_agreement(agreement))
        return
    check_keys(agreement)
    findings = examine(agreement, at=now())
    document: JsonObject = {"agreement": agreement.id, "findings": [asdict(finding) for finding in findings]}
    rows = [(f.severity.value, f.code, f.where, f.message, f.advice) for f in findings]
    print_table(document, ("", "rule", "where", "what", "advice"), rows, as_json=as_json)
    if not as_json and not findings:
        say(f"{agreement.id}: no problems found")
    if errors_among(findings):
        raise typer.Exit(1)


@app.command("sign")
def sign_draft(
    context: typer.Context,
    file: AgreementFile,
    key: Key,
    *,
    out: Annotated[
        Path | None, typer.Option(help="The file for the envelope; standard output if absent.")
    ] = None,
    previous: Annotated[
        Path | None, typer.Option(help="The signed envelope of the version that this one takes the place of.")
    ] = None,
    api: MaybeApi = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Show an agreement, then sign it: a draft as the first, or an envelope that others signed before you."""
    keys = private_keys(context, key)
    others = _envelope_in(file)
    agreement = _drafted(file) if others is None else decode(Agreement, body_of(others))
    person = agreement.person_with(keys.signing_key.public_key)
    check_keys(agreement)
    refuse_unsound(agreement, at=now())
    said = (
        unsigned(Kind.AGREEMENT, encode_object(agreement)) if others is None else _checked(others, agreement)
    )
    before = previous_version(agreement, _before(context, agreement, previous, api, key))
    confirm = asking(yes=yes, question=f"Sign this as {person.id}?")
    envelope = signed_if_confirmed(said, keys, confirm, agreement=agreement, previous=before, at=now())
    hand_on(envelope, out)
    if as_json and out is not None:
        print_json(
            {
                "agreement": agreement.id,
                "digest": statement_id(envelope),
                "signed_by": _signers(envelope, agreement),
            }
        )


@app.command()
def register(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The envelope that every party has signed.")],
    api: Api,
    key: Key,
    as_json: Json = False,
) -> None:
    """Register an agreement that every party has signed."""
    envelope = read_envelope(file)
    signed = read_agreement(envelope)
    with opened(context, api, key) as desk:
        answer = desk.client.post_statement(route("agreements"), envelope)
        desk.trust(signed.agreement.id, signed.terms.digest, signed.terms.digest)
    registered = f"registered {signed.agreement.id} version {signed.agreement.version}"
    print_result(answer, [registered, _compare(signed.terms.digest)], as_json=as_json)


@app.command("list")
def list_(context: typer.Context, api: Api, key: Key, as_json: Json = False) -> None:
    """List the agreements that name you, as the server says; `agreement show` verifies one."""
    with opened(context, api, key) as desk:
        answer = desk.client.get_pages(route("agreements"), "agreements")
    rows = [
        [text(a, "agreement"), a.get("version"), text(a, "title"), text(a, "digest")]
        for a in objects(answer, "agreements")
    ]
    say_unverified("agreement show AGREEMENT", as_json=as_json)
    say_left_out(answer, as_json=as_json)
    print_table(answer, ("agreement", "version", "title", "digest"), rows, as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    agreement: AgreementName,
    api: Api,
    key: Key,
    *,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Verify every signature on an agreement, and show it."""
    with opened(context, api, key) as desk:
        signed = desk.agreement(agreement, trusted=trust)
    body = encode_object(signed.agreement)
    signers = sorted(signed.agreement.person_with(signer).id for signer in signed.signers)
    digest = signed.terms.digest
    document: JsonObject = {
        "digest": digest,
        "words": list(comparison_words(digest)),
        "signed_by": list(signers),
        "agreement": body,
    }
    lines = [*_facts(signed.agreement), f"signed by    {', '.join(signers)}", _compare(digest)]
    print_result(document, lines, as_json=as_json)


@app.command()
def summary(
    context: typer.Context,
    agreement: AgreementName,
    api: Api,
    key: Key,
    *,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Verify every signature on an agreement, and print what it says, in sentences."""
    with opened(context, api, key) as desk:
        signed = desk.agreement(agreement, trusted=trust)
    digest, lines = signed.terms.digest, summarise(signed.agreement)
    document: JsonObject = {"digest": digest, "words": list(comparison_words(digest)), "lines": list(lines)}
    print_result(document, [*lines, _compare(digest)], as_json=as_json)


def _drafted(file: Path) -> Agreement:
    envelope = _envelope_in(file)
    return read_agreement_file(file) if envelope is None else decode(Agreement, body_of(envelope))


def _before(
    context: typer.Context, agreement: Agreement, file: Path | None, api: str | None, key: Path
) -> Envelope | None:
    """Return the envelope of the version before, from a file or the server; None if neither is named."""
    if agreement.supersedes is None:
        return None
    if file is not None:
        return read_envelope(file)
    if api is None:
        return None
    with opened(context, api, key) as desk:
        return envelope_in(desk.agreement_view(agreement.id, version=agreement.supersedes), "envelope")


def _envelope_in(file: Path) -> Envelope | None:
    """Return the envelope in a file, or None if it is a draft."""
    if b'"payloadType"' not in read_file(file, size_bytes_max=4 * AGREEMENT_SIZE_BYTES_MAX):
        return None
    envelope = read_envelope(file)
    if kind_of(envelope) != Kind.AGREEMENT:
        raise MisdirectedError("not an agreement", kind=kind_of(envelope))
    return envelope


def _checked(envelope: Envelope, agreement: Agreement) -> Envelope:
    """Return the envelope, after checking that only people of the agreement have signed it so far."""
    verified_signers(envelope, [person.signing_key for person in agreement.persons])
    return envelope


def _facts(agreement: Agreement) -> list[str]:
    return [
        f"agreement    {agreement.id} version {agreement.version}: {quoted(agreement.title)}",
        f"deployment   {agreement.deployment}",
        *(
            f"party        {party.id} ({party.role.replace('_', ' ')}): {quoted(party.name)}"
            for party in agreement.parties
        ),
        *(f"condition    {condition.id}: {quoted(condition.title)}" for condition in agreement.conditions),
        *(f"stage        {stage.id}: {', '.join(stage.components)}" for stage in agreement.stages),
    ]


def _compare(digest: Digest) -> str:
    return f"compare      {digest}: {in_words(digest)}"


def _signers(envelope: Envelope, agreement: Agreement) -> list[str]:
    keys = [person.signing_key for person in agreement.persons]
    return sorted(agreement.person_with(key).id for key in verified_signers(envelope, keys))
