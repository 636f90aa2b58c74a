"""The command line: `campaign-workers`, also `python -m campaign_workers`."""

from campaign_workers.entrypoints.cli.command_line import (
    BAD_INPUT,
    COMMANDS,
    FAILED,
    INTERRUPTED,
    app,
    main,
    run,
)

__all__ = ["BAD_INPUT", "COMMANDS", "FAILED", "INTERRUPTED", "app", "main", "run"]
