"""`generate`: a folder of plausible, dirty uploads."""

from pathlib import Path

from campaign_workers.domain.errors import BadInput
from campaign_workers.entrypoints.cli.outputs import make_folder
from campaign_workers.entrypoints.cli.results import Result, lines
from campaign_workers.samples import uploads


def generate(folder: Path, /, *, fans: int = 100_000, seed: int = 7) -> Result:
    """Make a folder of plausible uploads of one campaign, as dirty as uploads are.

    Parameters
    ----------
    folder
        Where to write; it is made if it is not there, and made-up uploads in it are replaced.
    fans
        How many fans register.
    seed
        The same seed gives the same files.
    """
    if fans < 1:
        raise BadInput("at least one fan is needed", field="--fans")
    if any(make_folder(folder).iterdir()) and not uploads.is_made_up(folder):
        raise BadInput(
            "not empty, and not made by this command",
            file=str(folder),
            remedy="choose another folder",
        )
    uploads.generate(folder, fans=fans, seed=seed)
    names = sorted(path.name for path in folder.iterdir())
    return lines(
        f"{folder}: uploads of a campaign with {fans:,} fans",
        data={"folder": str(folder), "fans": fans, "seed": seed, "files": names},
    )
