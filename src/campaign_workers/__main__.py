"""`python -m campaign_workers` is `campaign-workers`."""

from campaign_workers.entrypoints.cli import main

if __name__ == "__main__":
    main()
