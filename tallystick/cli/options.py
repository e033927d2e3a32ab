"""Options that many commands share, named and explained once."""

from pathlib import Path
from typing import Annotated

import typer


def _address(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise typer.BadParameter(f"it must begin with https:// or http://, as in http://{value}")
    return value


Api = Annotated[
    str,
    typer.Option(
        "--api",
        envvar="TALLYSTICK_API",
        callback=_address,
        help="The server's URL, such as https://escrow.example.",
    ),
]
Key = Annotated[Path, typer.Option("--key", envvar="TALLYSTICK_KEY", help="Your private key file, NAME.key.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Sign without asking.")]
Trusted = Annotated[
    str | None,
    typer.Option("--trust", help="The agreement's digest, once you have compared it with the other parties."),
]
AgreementName = Annotated[str, typer.Argument(metavar="AGREEMENT", help="The agreement's id.")]
ClaimName = Annotated[str, typer.Argument(metavar="CLAIM", help="The claim's id (clm-…) or digest.")]
