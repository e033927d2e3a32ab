"""Envelopes in files: how statements travel from one signer to the next."""

from pathlib import Path

import typer

from tallystick.cli.output import say
from tallystick.crypto.envelope import Envelope, envelope_bytes
from tallystick.desk.files import write_file
from tallystick.domain.amounts import counted


def hand_on(envelope: Envelope, out: Path | None) -> None:
    """Write an envelope for the next signer: to a file, or to standard output.

    Raises:
        FileUnusableError: The file cannot be written.
    """
    content = envelope_bytes(envelope) + b"\n"
    if out is None:
        typer.echo(content.decode(), nl=False)
        return
    write_file(out, content)
    say(f"{out}  {counted(len(envelope.signatures), 'signature')}")
