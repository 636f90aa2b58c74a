"""SQL for people who query the lake: a table a record type, and a view that drops equal records.

The files are made of the schemas in force; `python -m deploy.athena` writes them anew.
"""
