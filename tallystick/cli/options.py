"""Options that many commands share, named and explained once."""

from pathlib import Path
from typing import Annotated

import typer

from tallystick.client.address import ServerAddressError, read_address


def _address(value: str) -> str:
    try:
        return read_address(value).url
    except ServerAddressError as error:
        raise typer.BadParameter(f"{error.message}. {error.advice}") from error


def _maybe_address(value: str | None) -> str | None:
    return None if value is None else _address(value)


def _anchor(value: str | None) -> str | None:
    from tallystick.domain.comparison_words import anchor  # noqa: PLC0415 - most commands name no agreement so

    return None if value is None else anchor(value)


Api = Annotated[
    str,
    typer.Option(
        "--api",
        envvar="TALLYSTICK_API",
        callback=_address,
        help="The server's URL, such as https://escrow.example.",
    ),
]
MaybeApi = Annotated[
    str | None,
    typer.Option(
        "--api",
        envvar="TALLYSTICK_API",
        callback=_maybe_address,
        help="The server's URL, if something has to be looked up there.",
    ),
]
Key = Annotated[Path, typer.Option("--key", envvar="TALLYSTICK_KEY", help="Your private key file, NAME.key.")]
MaybeKey = Annotated[
    Path | None,
    typer.Option("--key", envvar="TALLYSTICK_KEY", help="Your private key file, NAME.key, if it is needed."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Sign without asking.")]
Trusted = Annotated[
    str | None,
    typer.Option(
        "--trust",
        callback=_anchor,
        help="The agreement's twelve comparison words between quotes, or its digest, once you have compared "
        "them with the other parties.",
    ),
]
AgreementName = Annotated[str, typer.Argument(metavar="AGREEMENT", help="The agreement's id.")]
ClaimName = Annotated[str, typer.Argument(metavar="CLAIM", help="The claim's id (clm-…) or digest.")]
