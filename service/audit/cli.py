"""The commands `duijie audit …`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from service.command_line import console, errors, read_settings, run

audit_app = typer.Typer(no_args_is_help=True, help="The audit trail: verify, export, prune / 审计链：核验、导出、清理.")
DATE = ["%Y-%m-%d"]
# Beyond any chain, and within what the database counts.
MOST = 10**15


@audit_app.command()
def verify(
    first: Annotated[int | None, typer.Option("--from", min=1, max=MOST, help="First position.")] = None,
    last: Annotated[int | None, typer.Option("--to", min=1, max=MOST, help="Last position.")] = None,
    anchor: Annotated[
        str | None, typer.Option(help="POSITION:HASH that `duijie audit head` printed before: finds a cut-off tail.")
    ] = None,
    file: Annotated[Path | None, typer.Option(exists=True, help="An exported file in place of the database.")] = None,
) -> None:
    """Check the chain of events; exit code 1 where it is broken / 核验审计链."""
    from service.audit.commands import verify_database, verify_export

    if file is not None and (first or last):
        raise typer.BadParameter("--file takes no --from or --to / --file 不能与 --from、--to 同用")
    if first and last and last < first:
        raise typer.BadParameter("--to must not be less than --from / --to 不得小于 --from")
    settings = read_settings()
    holds = run(
        verify_export(console, file, anchor)
        if file is not None
        else verify_database(settings, console, errors, first, last, anchor)
    )
    if not holds:
        raise typer.Exit(1)


@audit_app.command()
def head() -> None:
    """Print the end of the chain as an anchor to be kept elsewhere / 输出锚点，另行抄存."""
    from service.audit.commands import print_head

    # Alone on its line and unwrapped, so that it can be piped.
    console.print(run(print_head(read_settings())), highlight=False, soft_wrap=True)


@audit_app.command()
def export(
    path: Annotated[Path, typer.Argument(help="File to write (.jsonl).")],
    first: Annotated[datetime, typer.Option("--from", formats=DATE, help="First day, in the market's time zone.")],
    last: Annotated[datetime, typer.Option("--to", formats=DATE, help="Last day, included.")],
) -> None:
    """Write the events of some days as JSON Lines that `verify --file` checks / 导出审计事件."""
    from service.audit.commands import export_days

    run(export_days(read_settings(), console, path, first.date(), last.date()))


@audit_app.command()
def prune(
    before: Annotated[
        datetime | None, typer.Option(formats=DATE, help="Day before which events go; else as DUIJIE_AUDIT_DAYS says.")
    ] = None,
) -> None:
    """Remove events past their time by the owner's connection; the rest stays verifiable / 清理到期的审计事件."""
    from service.audit.commands import prune_old

    run(prune_old(read_settings(), console, before.date() if before else None))
