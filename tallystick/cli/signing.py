"""How a person states something about a claim: drafted, shown, confirmed, signed, and sent or handed on.

The draft is made here, from the verified claim; the server's drafts are not used. What is
shown comes from that claim and from the canonical body that the signature covers.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import typer

from tallystick.cli.envelopes import hand_on
from tallystick.cli.output import print_json, print_result, say
from tallystick.client.answers import text
from tallystick.client.route import route
from tallystick.crypto.envelope import Envelope, body_of, new_nonce, statement_id, unsigned
from tallystick.desk.clock import now
from tallystick.desk.desk import Desk
from tallystick.desk.documents.reading import read_so_far
from tallystick.desk.documents.sealing import DocumentSealing, FileToSeal, send_after
from tallystick.desk.files import read_envelope
from tallystick.desk.kept.begun import Begun, working_in
from tallystick.desk.signing import Confirm, signed_if_confirmed
from tallystick.domain.acts.act import Act
from tallystick.domain.acts.all import draft
from tallystick.domain.amounts import counted
from tallystick.domain.authorship.authors import check_subject
from tallystick.domain.codec import encode_object
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.errors import TallystickError
from tallystick.domain.json import JsonObject
from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.shown.claims import filed_claim
from tallystick.domain.statements.header import ActBody
from tallystick.proof.case import Case
from tallystick.proof.reading import read_signed


class NobodyToAskError(TallystickError):
    """There is no terminal at which a person could confirm a statement."""

    code = "nobody-to-ask"
    why = "A person reads and confirms a statement about what others wrote, and that takes a terminal."
    advice = "Run the command in a terminal; a program that may sign without asking passes `--yes`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a statement is signed and passed on.

    Attributes:
        yes: Sign without asking.
        out: Write the signed envelope to this file instead of sending it.
        cosign: Add a signature to the envelope in this file.
        send: Send the envelope in this file as it is.
    """

    yes: bool
    as_json: bool
    out: Path | None = None
    cosign: Path | None = None
    send: Path | None = None


def asking(
    *, yes: bool, own: bool = False, question: str = "Sign this?", notes: Sequence[str] = ()
) -> Confirm:
    """Return a function that shows people what they sign, and asks them unless `yes` is true.

    Args:
        own: The caller wrote all that is signed: their own folder, their own form. Where there is no
            terminal, as on a build server that deposits every night, it is shown and signed unasked.
        notes: What else they should know, from their own machine: it is no part of what is signed.

    Raises:
        NobodyToAskError: There is no terminal to ask at, `yes` is false, and others wrote what is signed.
    """
    terminal = sys.stdin.isatty()
    if not (yes or own or terminal):
        raise NobodyToAskError("no terminal to ask at")

    def confirm(lines: Iterable[str]) -> None:
        shown, first = 0, ""
        for line in chain(lines, notes):
            shown, first = shown + 1, first or line
            say(line)
        if terminal and not yes:
            # What others have stated may have scrolled the first line off the screen, and out of its memory.
            say(f"above, {counted(shown, 'line')}; to be signed now:")
            say(first)
            typer.confirm(question, abort=True, err=True)

    return confirm


def state(
    desk: Desk,
    case: Case,
    act: Act[Any],
    choices: Choices,
    manner: Manner,
    *,
    ready: Callable[[ActBody], None] = lambda _: None,
) -> None:
    """Draft a statement, show it, have it confirmed, sign it, and send it or hand it on.

    Args:
        ready: Called with the statement once it is signed, before it leaves.

    Raises:
        NotInAgreementError: The agreement does not name the person at the desk.
        DraftIncompleteError: `choices` lacks something that this kind must say.
        TallystickError: The server refused or did not answer.
    """
    body = draft(act.kind, _heading(desk, case), case.claim, choices)
    said = unsigned(act.kind, encode_object(body))
    kept = _kept(desk, case, act, said, choices) if manner.out is None else None
    if kept is not None:
        say("you signed this before, and no answer came: the same statement is sent again")
        say(f"statement {statement_id(kept)}")
    envelope = kept or _signed(desk, case, said, manner)
    ready(body)
    _pass_on(desk, case, act, envelope, manner)


def state_with_documents(
    desk: Desk,
    case: Case,
    act: Act[Any],
    choices: Choices,
    manner: Manner,
    *,
    files: Sequence[FileToSeal],
) -> None:
    """State what brings documents, as `state` does.

    What helps a release needs its documents in the stores. What only stops one goes out before them, so that
    no file holds it up.

    Raises:
        DocumentsToFollowError: It is on record, and a document is not in the stores.
        TallystickError: As `state`; or a file cannot be read, or sealed.
    """
    with working_in(desk.unsent.folder / f"{act.kind}-{case.claim.id}") as work:
        sealing = DocumentSealing(desk=desk, terms=case.terms, work=work)
        documents = sealing.sealed(files)
        work.keep(Begun(plain=sealing.plain(documents)))

        def ready(body: ActBody) -> None:
            if act.helps(body, case.claim):
                sealing.upload(documents, refused="the statement was not sent")

        try:
            with work.kept_if_open():
                state(desk, case, act, choices.but(document=documents), manner, ready=ready)
        except typer.Abort:
            work.clear()
            raise
        sealing.keep(documents)
    send_after(desk, case, documents)


def state_together(desk: Desk, case: Case, act: Act[Any], file: Path, manner: Manner) -> None:
    """Show a statement that others have signed, add a signature, and send it or hand it on.

    Raises:
        MisdirectedError: The file has another kind of statement, or one about another claim.
        TallystickError: A signature is wrong, or the server refused or did not answer.
    """
    envelope = _checked(read_envelope(file), case, act)
    desk.person_in(case.agreement)
    _pass_on(desk, case, act, _signed(desk, case, envelope, manner), manner)


def send(desk: Desk, case: Case, act: Act[Any], file: Path, manner: Manner) -> None:
    """Send a statement that others have signed, as it is.

    Raises:
        MisdirectedError: The file has another kind of statement, or one about another claim.
        TallystickError: A signature is wrong, or the server refused or did not answer.
    """
    _pass_on(desk, case, act, _checked(read_envelope(file), case, act), manner)


def _kept(desk: Desk, case: Case, act: Act[Any], said: Envelope, choices: Choices) -> Envelope | None:
    """Return what an earlier command signed and nobody answered, if it is what this one asks for."""
    kept = desk.unsent.same(_path(case, act), said, now())
    if kept is None:
        return None
    if statement_id(kept) in case.claim.retracted | case.claim.lifted:  # recorded all the same, and over
        desk.unsent.drop(kept)
        return None
    chosen = "expires_at" in choices and body_of(kept)["expires_at"] != body_of(said)["expires_at"]
    return None if chosen else kept


def _heading(desk: Desk, case: Case) -> Heading:
    return Heading(
        terms=case.terms,
        claim=case.claim.digest,
        filing=case.claim.filing,
        person=desk.person_in(case.agreement).id,
        issued_at=now(),
        nonce=new_nonce(),
        ledger_seen=desk.ledger_seen(case.agreement.id),
    )


def _checked(envelope: Envelope, case: Case, act: Act[Any]) -> Envelope:
    signed = read_signed(envelope, case.agreement)
    if signed.kind is not act.kind:
        raise MisdirectedError(
            "the file has another kind of statement", expected=act.kind.value, given=signed.kind.value
        )
    check_subject(case.agreement, case.terms.digest, signed.body, case.claim.digest)
    return envelope


def _signed(desk: Desk, case: Case, envelope: Envelope, manner: Manner) -> Envelope:
    confirm = asking(yes=manner.yes, notes=tuple(read_so_far(desk, case)))
    return signed_if_confirmed(
        envelope, desk.keys, confirm, agreement=case.agreement, claim=filed_claim(case.claim)
    )


def _pass_on(desk: Desk, case: Case, act: Act[Any], envelope: Envelope, manner: Manner) -> None:
    if manner.out is not None:
        hand_on(envelope, manner.out)
        if manner.as_json:
            print_json({"statement": statement_id(envelope), "signatures": len(envelope.signatures)})
        return
    answer = desk.unsent.send(desk.client, _path(case, act), envelope)
    print_result(answer, _recorded(answer), as_json=manner.as_json)


def _path(case: Case, act: Act[Any]) -> str:
    return route("claims", case.claim.digest, act.noun)


def _recorded(answer: JsonObject) -> Iterator[str]:
    yield f"recorded     {text(answer, 'statement')}"
    yield f"state        {text(answer, 'state')}"
