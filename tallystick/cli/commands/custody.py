"""`tallystick custody`: which keys the components are sealed to now."""

import typer

from tallystick.cli.opened import opened
from tallystick.cli.options import AgreementName, Api, Json, Key, Trusted
from tallystick.cli.output import print_table, say_left_out
from tallystick.client.answers import digest_in, objects
from tallystick.desk.custody import custody_epoch
from tallystick.domain.json import JsonObject

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="See who holds the keys to the components."
)


@app.callback()
def _custody() -> None:
    """See who holds the keys to the components."""


@app.command()
def status(
    context: typer.Context,
    agreement: AgreementName,
    api: Api,
    key: Key,
    *,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """List each component's live custody epoch, after verifying it, and who holds its key."""
    with opened(context, api, key) as desk:
        view = desk.agreement_view(agreement)
        signed = desk.checked_agreement(view, agreement, trusted=trust)
        say_left_out(view, as_json=as_json)
        live = {str(item.get("component")): item for item in objects(view, "custody")}
        rows: list[tuple[str, str, int | None, str | None]] = []
        for component in signed.agreement.components:
            rule = signed.agreement.stage_of(component.id).custody.value
            if component.id not in live:
                rows.append((component.id, rule, None, None))
                continue
            statement = digest_in(live[component.id], "custody")
            epoch = custody_epoch(desk, signed.agreement, component.id, statement)
            rows.append((component.id, rule, epoch.body.epoch, epoch.id))
    items = [{"component": a, "held_by": b, "epoch": c, "custody": d} for a, b, c, d in rows]
    document: JsonObject = {"agreement": agreement, "custody": items}
    print_table(document, ("component", "held by", "epoch", "statement"), rows, as_json=as_json)
