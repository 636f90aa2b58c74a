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
    """Run a sample campaign from registration to text message, and reconcile its figures.

    Parameters
    ----------
    fans
        How many fans register.
    seed
        The same seed generates the same campaign, byte for byte.
    out
        Folder for all output; an earlier demo in it is replaced.
    """
    if fans < 1:
        raise BadInput(f"expected 1 or more, got {fans}", field="--fans")
    _clear(out)
    samples.generate(out / "uploads", fans=fans, seed=seed)
    return campaign(out / "uploads", out=out / "campaign", seed=f"demo-{seed}")


def campaign(folder: Path, /, *, out: Path, seed: str = "trial") -> Result:
    """Run the whole campaign on a folder of uploads, and reconcile its figures.

    Parameters
    ----------
    folder
        Folder of uploads, laid out as `generate` writes it.
    out
        Folder for all output; an earlier campaign in it is replaced.
    seed
        The lottery seed.
    """
    uploads = Uploads(folder)
    uploads.check()
    opens = uploads.opens()
    if out.resolve() in (folder.resolve(), *folder.resolve().parents):
        raise BadInput("contains the uploads folder", file=str(out), remedy="choose another --out")
    _clear(out)
    container = Container("local", settings=Settings(dir=out), starts=opens)
    runner = CampaignRunner(container=container, uploads=uploads, out=out)
    container.embedded.secrets.write(lottery.seed_secret_name(runner.campaign.campaign_id), seed)
    try:
        _run(runner)
    except BadInput as error:
        raise error.within(runner.to_file_names(error.file)) if error.file else error from None
    return _outcome(runner)


def _outcome(runner: CampaignRunner) -> Result:
    """Return checks, report and dead letters of a campaign that ran."""
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
                runner.to_file_names(f"{letter.worker} gave up on {letter.source}: {letter.reason}")
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
    """Write the report; return its path and a note. A campaign succeeds without it."""
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
        raise BadInput(
            "no campaign ran in this folder", file=str(folder), remedy="use the --out of a campaign"
        )
    container = Container("local", settings=Settings(dir=folder))
    campaigns = list(container.campaigns.open_campaigns())
    if not campaigns:
        raise BadInput("this folder has no open campaign", file=str(folder))
    pages = [str(write_report(container, known.campaign_id, folder)) for known in campaigns]
    return Result(data={"reports": pages}, notes=tuple(f"Report: {page}" for page in pages))


def _run(runner: CampaignRunner) -> None:
    """Run every step; show a progress bar and then a table of it on standard error."""
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
    """Empty the output folder, or refuse if it has files that this command did not write."""
    make_folder(out)
    marker = out / MARKER
    content = [path for path in out.iterdir() if path != marker]
    if content and not marker.exists():
        raise BadInput(
            "not empty, and not written by this command",
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
    """Generate a folder of realistic, dirty uploads of one campaign.

    Parameters
    ----------
    folder
        Folder to write to; it is created if missing, and generated uploads in it are replaced.
    fans
        How many fans register.
    seed
        The same seed generates the same files.
    """
    if fans < 1:
        raise BadInput(f"expected 1 or more, got {fans}", field="--fans")
    if any(make_folder(folder).iterdir()) and not samples.is_made_up(folder):
        raise BadInput(
            "not empty, and not written by this command",
            file=str(folder),
            remedy="choose another folder",
        )
    samples.generate(folder, fans=fans, seed=seed)
    names = sorted(path.name for path in folder.iterdir())
    return lines(
        f"{folder}: uploads of a campaign with {fans:,} fans",
        data={"folder": str(folder), "fans": fans, "seed": seed, "files": names},
    )
