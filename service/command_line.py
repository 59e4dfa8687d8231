"""What every command does alike: read the settings, run, and say in one line what a user can mend."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.text import Text as Styled

from service.settings import Settings, get_settings

console = Console()
errors = Console(stderr=True)
Result = TypeVar("Result")


def read_settings() -> Settings:
    """The settings of this process; a wrong one ends it with a line that names the variable."""
    from pydantic import ValidationError

    from service.kit.language import current_language
    from service.kit.logs import configure

    try:
        settings = get_settings()
    except ValidationError as error:
        for found in error.errors():
            errors.print(f"[red]DUIJIE_{'_'.join(map(str, found['loc'])).upper()}[/]: {found['msg']}")
        raise typer.Exit(2) from error
    current_language.set(settings.language)
    configure(settings)
    return settings


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command; what a user can mend is one line in red and exit code 1, without a traceback."""
    from matching.embedding import EncoderError
    from matching.evaluation import DatasetError
    from matching.fusion import RankingModelError
    from service.embedded import EmbeddedDatabaseError
    from service.errors import ServiceError
    from service.migrate import MigrationError

    try:
        return asyncio.run(work)
    except ServiceError as error:
        # The title is of an HTTP status, and says less than the detail.
        errors.print(Styled(str(error.detail or error.title), style="red"), highlight=False, soft_wrap=True)
        for problem in error.problems:
            errors.print(Styled(f"  {problem.field}: {problem.message}"), highlight=False, soft_wrap=True)
    except (EmbeddedDatabaseError, MigrationError, EncoderError, DatasetError, RankingModelError) as error:
        errors.print(Styled(str(error), style="red"), highlight=False, soft_wrap=True)
    except OSError as error:
        errors.print(Styled(str(error), style="red"), highlight=False, soft_wrap=True)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    raise typer.Exit(1)
