"""`tallystick agreement new`: a draft to start from, and what is left to edit in it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from tallystick.cli.output import print_line
from tallystick.desk.clock import now
from tallystick.desk.files import write_new
from tallystick.desk.templates.filling import Particulars, TemplateName, edits, filled, read_parties
from tallystick.desk.templates.holidays import Place, read_places
from tallystick.domain.ids import name, person_id

_DATE: Final = ["%Y-%m-%d"]
_TEMPLATE: Final = f"One of {', '.join(TemplateName)}."
_PARTY: Final = "A party's id by its part, such as depositor=nordwind. May be repeated."
_PERSON: Final = "A person who takes the next seat of their party, such as dora@nordwind. May be repeated."
_COUNTRY: Final = (
    "A country whose holidays are pinned: the depositor's; repeated, that of each beneficiary and the agent. "
    "The last counts for all others. DE-BY is a country with its region."
)


def new_draft(
    template: Annotated[TemplateName, typer.Argument(metavar="TEMPLATE", help=_TEMPLATE)],
    *,
    out: Annotated[Path, typer.Option(help="The file for the draft, which must not exist yet.")] = Path(
        "agreement.yaml"
    ),
    agreement: Annotated[str, typer.Option("--id", help="The agreement's id.")] = "software-escrow",
    title: Annotated[str, typer.Option(help="The agreement's title.")] = "Software escrow",
    effective_from: Annotated[
        datetime | None, typer.Option(formats=_DATE, help="When it takes effect; tomorrow if absent.")
    ] = None,
    covers_until: Annotated[
        datetime | None,
        typer.Option(formats=_DATE, help="Its calendars' last day; the end of the third year if absent."),
    ] = None,
    country: Annotated[list[str] | None, typer.Option(help=_COUNTRY)] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="The region of each --country, in their order.")
    ] = None,
    party: Annotated[list[str] | None, typer.Option(help=_PARTY)] = None,
    person: Annotated[list[str] | None, typer.Option(help=_PERSON)] = None,
) -> None:
    """Write a draft of an agreement from a template, and say what is left to edit in it."""
    begins = (effective_from or now() + timedelta(days=1)).date()
    particulars = Particulars(
        id=name(agreement),
        title=title,
        effective_from=begins,
        covers_until=covers_until.date() if covers_until else date(begins.year + 2, 12, 31),
        parties=read_parties(template, party or ()),
        persons=[person_id(one) for one in person or ()],
        places=_places(country or (), region or ()),
    )
    draft = filled(template, particulars)
    write_new(out, draft.encode())
    for line in (*edits(draft), *_what_is_true_now(out)):
        print_line(line)


def _places(countries: Sequence[str], regions: Sequence[str]) -> tuple[Place, ...]:
    if len(regions) > len(countries):
        raise typer.BadParameter("name a --country before each --region")
    return read_places(countries, regions)


def _what_is_true_now(out: Path) -> tuple[str, ...]:
    draft = f"{out} is a draft that nobody has signed: edit the lines above"
    return (
        f"{draft}, and put the files that it names beside it",
        f"next: tallystick agreement check {out}",
    )
