"""`python -m campaign_workers` is `campaign-workers`."""

import sys


def main() -> None:
    """Start the command line; Ctrl-C is quiet while its libraries are still being loaded, too."""
    try:
        from campaign_workers.entrypoints import cli
    except KeyboardInterrupt:
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
