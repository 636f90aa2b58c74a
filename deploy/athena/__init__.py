"""SQL for people who query the lake: a table a record type, and a view that drops equal records.

The files are generated from the current schemas; `python -m deploy.athena` regenerates them.
"""
