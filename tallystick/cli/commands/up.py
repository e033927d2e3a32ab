"""`tallystick up`: a whole site on this machine, until Ctrl-C."""

import contextlib
import signal
import threading
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from tallystick.client.route import route
from tallystick.site import Site, prepare, settings_of
from tallystick.stack.processes import free_port
from tallystick.stack.stack import Stack, running

_LOOK_SECONDS: Final = 1.0
_EXIT_INTERRUPTED: Final = 130


def up(
    *,
    data: Annotated[
        Path, typer.Option(help="The folder for all of the site's data; created if missing.")
    ] = Path("tallystick-data"),
    api_port: Annotated[int, typer.Option(help="The API's port on 127.0.0.1.")] = 8080,
    deployment: Annotated[
        str, typer.Option(help="The deployment's name; a folder keeps its own.")
    ] = "harbour",
    root: Annotated[
        list[Path] | None,
        typer.Option(help="A .pub file of the escrow agent, who must sign every agreement; repeatable."),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="The port of its figures on 127.0.0.1; absent: one that is free.")
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            envvar="TALLYSTICK_DATABASE_URL",
            show_envvar=True,
            help="A PostgreSQL database for the ledger, such as postgresql+psycopg://user@host/name.",
        ),
    ] = None,
) -> None:
    """Start a Temporal server, the worker, the gate and the API, and stop them all on Ctrl-C."""
    console = Console()
    site = prepare(data, deployment=deployment, root_files=root or ())
    settings = settings_of(
        site,
        api_port=api_port,
        temporal_port=free_port(),
        metrics_port=metrics_port or free_port(),
        database_url=database_url,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # while it starts, SIGTERM acts as Ctrl-C
    try:
        with running(site, settings, lambda name: console.print(f"  [green]ready[/]  {name}")) as stack:
            stopped = _stop_on_signals()
            console.print(_addresses(stack, site))
            console.print("  Ctrl-C stops the site; the same --data resumes where it left off.")
            while not stopped.wait(_LOOK_SECONDS):
                stack.tend(lambda line: _tell(console, line))
    except KeyboardInterrupt:
        console.print("stopped before it was ready; no process is left running")
        raise typer.Exit(_EXIT_INTERRUPTED) from None
    console.print("stopped; no process is left running")


def _tell(console: Console, line: str) -> None:
    """Print a line while the site runs; it runs on if nobody can read it: a closed terminal, a full disk."""
    with contextlib.suppress(OSError):
        console.print(f"  {line}", style="yellow", markup=False, soft_wrap=True)


def _stop_on_signals() -> threading.Event:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopped.set())
    return stopped


def _addresses(stack: Stack, site: Site) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_row("API", stack.api_url)
    table.add_row("API description", stack.api_url + route("openapi.json"))
    table.add_row("figures", f"http://{stack.settings.metrics_address}/metrics")
    table.add_row("deployment", str(site.public_file))
    table.add_row("notices", str(site.root / "outbox"))
    table.add_row("logs", str(site.logs))
    if not stack.settings.root_keys:
        table.add_row(
            "[yellow]no root key[/]", "no agreement can be registered: restart with --root NAME.pub"
        )
    return table
