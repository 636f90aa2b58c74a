"""`demo`, `campaign`, `generate` and `report`: a whole campaign on the embedded profile."""

import shutil
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from campaign_workers.container import Container
from campaign_workers.domain import lottery
from campaign_workers.domain.errors import BadInput
from campaign_workers.entrypoints.cli.campaign_runner import CampaignRunner
from campaign_workers.entrypoints.cli.files import make_folder
from campaign_workers.entrypoints.cli.reconciliation import Reconciliation
from campaign_workers.entrypoints.cli.report import MissingCharts, write_report
from campaign_workers.entrypoints.cli.results import Result, RunTotals, lines
from campaign_workers.entrypoints.cli.uploads import Uploads
from campaign_workers.samples import uploads as samples
from campaign_workers.settings import Settings

MARKER = ".campaign-workers"


def demo(*, fans: int = 100_000, seed: int = 7, out: Path = Path("out/demo")) -> Result:
    """Run a made-up campaign from registration to text message, and check its books.

    Parameters
    ----------
    fans
        How many fans register.
    seed
        The same seed gives the same campaign, byte for byte.
    out
        Folder for everything that is made; an earlier demo in it is replaced.
    """
    if fans < 1:
        raise BadInput("at least one fan is needed", field="--fans")
    _clear(out)
    samples.generate(out / "uploads", fans=fans, seed=seed)
    return campaign(out / "uploads", out=out / "campaign", seed=f"demo-{seed}")


def campaign(folder: Path, /, *, out: Path, seed: str = "trial") -> Result:
    """Run the whole campaign on a folder of uploads, and check its books.

    Parameters
    ----------
    folder
        Uploads, laid out as `generate` makes them.
    out
        Folder for everything that is made; an earlier campaign in it is replaced.
    seed
        The lottery seed.
    """
    uploads = Uploads(folder)
    uploads.check()
    opens = uploads.opens()
    if out.resolve() in (folder.resolve(), *folder.resolve().parents):
        raise BadInput("the uploads are in it", file=str(out), remedy="choose another --out")
    _clear(out)
    container = Container("local", settings=Settings(dir=out), starts=opens)
    runner = CampaignRunner(container=container, uploads=uploads, out=out)
    container.embedded.secrets.write(lottery.seed_secret_name(runner.campaign.campaign_id), seed)
    try:
        _run(runner)
    except BadInput as error:
        raise error.within(runner.known_as(error.file)) if error.file else error from None
    return _outcome(runner)


def _outcome(runner: CampaignRunner) -> Result:
    """The books of a campaign that ran, its report, and what was given up on."""
    container, campaign_id = runner.container, runner.campaign.campaign_id
    checks = Reconciliation(container, campaign_id).checks()
    page, about = _report(container, campaign_id, runner.out)
    letters = container.journal.dead_letters()
    failed = not all(check.holds for check in checks)
    return Result(
        data={
            "campaignId": campaign_id,
            "report": page,
            "balanced": not failed,
            "checks": [
                {"title": check.title, "reported": check.reported, "actual": check.actual}
                for check in checks
            ],
            "deadLetters": [letter.wire() for letter in letters],
        },
        title="Reconciliation",
        columns=("", "reported", "actual", "equal"),
        rows=tuple(
            (check.title, check.reported, check.actual, "yes" if check.holds else "NO")
            for check in checks
        ),
        notes=(
            *(
                runner.known_as(f"{letter.worker} gave up on {letter.source}: {letter.reason}")
                for letter in letters
            ),
            "Reported and actual figures differ."
            if failed
            else "Reported and actual figures agree.",
            about,
        ),
        failed=failed,
    )


def _report(container: Container, campaign_id: str, out: Path) -> tuple[str | None, str]:
    """Where the report is, and what to say of it; a campaign is one without a report too."""
    try:
        page = write_report(container, campaign_id, out)
    except MissingCharts as why:
        return None, f"No report: {why}"
    return str(page), f"Report: {page}"


def report(*, folder: Annotated[Path, Parameter(name="--dir")] = Path("campaign-data")) -> Result:
    """Build the HTML report of a campaign that ran in a folder.

    Parameters
    ----------
    folder
        Folder of the embedded buckets, streams and tables.
    """
    if not (folder / "state.sqlite").is_file():
        raise BadInput("no campaign ran here", file=str(folder))
    container = Container("local", settings=Settings(dir=folder))
    campaigns = list(container.campaigns.open_campaigns())
    if not campaigns:
        raise BadInput("no campaign is known here", file=str(folder))
    pages = [str(write_report(container, known.campaign_id, folder)) for known in campaigns]
    return Result(data={"reports": pages}, notes=tuple(f"Report: {page}" for page in pages))


def _run(runner: CampaignRunner) -> None:
    """Take every step, with a bar on the way and a table after it, both on standard error."""
    console = Console(stderr=True)
    steps = tuple(runner.steps())
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}"),
        console=console,
        transient=True,
        disable=not console.is_interactive,
    )
    with bar:
        task = bar.add_task("campaign", total=len(steps), now="")
        runner.progress = lambda now: bar.update(task, now=now)
        for title, step in steps:
            bar.update(task, description=title, now="")
            tally = RunTotals()
            runner.container.runtime.observe = tally.add
            step()
            bar.advance(task)
            if tally.runs:
                tally.result(title=title).show(console)


def _clear(out: Path) -> None:
    """Make `out` an empty folder of ours; what somebody else put there is never removed."""
    make_folder(out)
    marker = out / MARKER
    content = [path for path in out.iterdir() if path != marker]
    if content and not marker.exists():
        raise BadInput(
            "not empty, and not made by this command",
            file=str(out),
            remedy="choose another --out",
        )
    marker.touch()
    for path in content:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


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
    if any(make_folder(folder).iterdir()) and not samples.is_made_up(folder):
        raise BadInput(
            "not empty, and not made by this command",
            file=str(folder),
            remedy="choose another folder",
        )
    samples.generate(folder, fans=fans, seed=seed)
    names = sorted(path.name for path in folder.iterdir())
    return lines(
        f"{folder}: uploads of a campaign with {fans:,} fans",
        data={"folder": str(folder), "fans": fans, "seed": seed, "files": names},
    )
