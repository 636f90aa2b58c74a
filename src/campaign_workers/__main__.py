"""`python -m campaign_workers`, the same as `campaign-workers`."""

import sys


def main() -> None:
    """Start the command line; Ctrl-C while libraries load prints no traceback either."""
    try:
        from campaign_workers.entrypoints import cli
    except KeyboardInterrupt:
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
