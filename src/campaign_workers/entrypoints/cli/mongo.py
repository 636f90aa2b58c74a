"""`mongo`: what the MongoDB database needs before the workers use it."""

from cyclopts import App

from campaign_workers.container import ensure_mongo_indexes
from campaign_workers.entrypoints.cli.results import Result
from campaign_workers.settings import load_settings

app = App(name="mongo", help="Prepare the MongoDB database.")


@app.command
def ensure_indexes() -> Result:
    """Create the indexes that the workers' queries need; those that are there stay.

    The address of the database is read from CAMPAIGN_WORKERS_MONGODB_URI, where no shell history
    keeps its password.
    """
    rows = tuple(
        (index.collection, ", ".join(index.keys), "created" if index.created else "there")
        for index in ensure_mongo_indexes(load_settings())
    )
    columns = ("collection", "keys", "index")
    return Result(
        data=[dict(zip(columns, row, strict=True)) for row in rows], columns=columns, rows=rows
    )
