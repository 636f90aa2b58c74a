"""The report of a campaign: one self-contained HTML page, without scripts or network access."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

import attrs

from campaign_workers import __version__
from campaign_workers.container import Container, atomic_write
from campaign_workers.domain.errors import Fatal
from campaign_workers.entrypoints.cli.reconciliation import Reconciliation
from campaign_workers.entrypoints.cli.report.figures import Figures

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title · presale report</title>
<style>
:root { color-scheme: light dark;
        --paper: #f6f8f9; --card: #ffffff; --ink: #1b2733; --muted: #5b6b7b; --line: #dfe5ea;
        --accent: #0f7b6c; --soft: #93cbbf; --wrong: #b3261e;
        --first: #0f6e61; --second: #3f9e8f; --third: #86c5b8; --fourth: #c6e4dd; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #11171d; --card: #1a222b; --ink: #e6ecf1; --muted: #9fb0bf; --line: #33404c;
          --accent: #3fb8a4; --soft: #26685d; --wrong: #ff8a80;
          --first: #45c2ad; --second: #2f9483; --third: #246a5f; --fourth: #1f4a44; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
       font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 40px 24px 80px; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0; letter-spacing: -0.02em; }
h2 { font-size: 1.15rem; margin: 0 0 4px; }
a { color: inherit; }
.lead, .note { color: var(--muted); margin: 0 0 16px; max-width: 46rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px;
         margin: 24px 0; padding: 0; list-style: none; }
.tiles li, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tiles li { padding: 14px 16px; }
.tiles b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--muted); font-size: 0.85rem; }
section { padding: 22px 24px; margin: 16px 0; }
.wide { overflow-x: auto; margin-top: 12px; }
.wide svg { display: block; width: 100%; min-width: 640px; max-width: 940px; height: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem;
        font-variant-numeric: tabular-nums; }
thead th { color: var(--muted); }
th { text-align: left; font-weight: 600; }
tbody th { font-weight: inherit; }
th, td { padding: 6px 20px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
td.number, th.number { text-align: right; white-space: nowrap; }
.ok { color: var(--accent); font-weight: 600; }
.wrong { color: var(--wrong); font-weight: 600; }
footer { color: var(--muted); font-size: 0.85rem; margin-top: 28px; }
pre { overflow-x: auto; padding: 12px 14px; background: var(--paper); border-radius: 6px; }
code { font-size: 0.85rem; }
td { overflow-wrap: anywhere; }
@media print {
  :root { color-scheme: light;
          --paper: #ffffff; --card: #ffffff; --ink: #1b2733; --muted: #5b6b7b; --line: #dfe5ea;
          --accent: #0f7b6c; --soft: #93cbbf; --wrong: #b3261e;
          --first: #0f6e61; --second: #3f9e8f; --third: #86c5b8; --fourth: #c6e4dd; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { padding: 0; max-width: none; }
  section, .tiles li, tr, svg { break-inside: avoid; }
  .wide { overflow: visible; }
  .wide svg { min-width: 0; }
  pre { white-space: pre-wrap; }
}
</style>
</head>
<body><main>
<h1>$title</h1>
<p class="lead">$lead</p>
$verdict
<ul class="tiles">$tiles</ul>
$sections
<footer>$footer</footer>
</main></body>
</html>
""")


_VERDICTS = {
    True: '<p><a class="ok" href="#reconciliation">Reported and actual figures agree.</a></p>',
    False: '<p><a class="wrong" href="#reconciliation">Reported and actual figures differ.</a></p>',
}


@attrs.frozen(kw_only=True)
class Section:
    """A part of the page: `body` is HTML, title and note are plain text."""

    title: str
    note: str = ""
    body: str

    def html(self) -> str:
        """Return the section as HTML."""
        name = self.title.lower().replace(" ", "-")
        return (
            f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(self.title)}</h2>'
            f'<p class="note">{escape(self.note)}</p>'
            f'<div class="wide" tabindex="0" role="group" aria-labelledby="{name}">'
            f"{self.body}</div></section>"
        )


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return an HTML table; numbers are right-aligned, booleans are yes and no."""
    numeric = [
        all(isinstance(row[at], int | float) and not isinstance(row[at], bool) for row in rows)
        for at in range(len(columns))
    ]
    head = "".join(
        _cell('th scope="col"', column, numeric[at]) for at, column in enumerate(columns)
    )
    lines = (
        "".join(
            _cell("td" if at else 'th scope="row"', _to_text(value), numeric[at], _css_class(value))
            for at, value in enumerate(row)
        )
        for row in rows
    )
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def render_page(
    *,
    title: str,
    lead: str,
    balanced: bool,
    tiles: Sequence[tuple[str, int]],
    sections: Sequence[Section],
    footer: str,
) -> str:
    """Return the whole page."""
    return _PAGE.substitute(
        title=escape(title),
        lead=escape(lead),
        verdict=_VERDICTS[balanced],
        tiles="".join(
            f"<li><b>{value:,}</b><span>{escape(name)}</span></li>" for name, value in tiles
        ),
        sections="\n".join(section.html() for section in sections),
        footer=escape(footer),
    )


def _cell(tag: str, text: str, numeric: bool, css_class: str = "") -> str:
    kind = "number" if numeric else css_class
    attribute = f' class="{kind}"' if kind else ""
    return f"<{tag}{attribute}>{escape(text)}</{tag.partition(' ')[0]}>"


def _css_class(value: object) -> str:
    return {True: "ok", False: "wrong"}[value] if isinstance(value, bool) else ""


def _to_text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


REPORT_FILE = "report.html"


class MissingCharts(Fatal):
    """The libraries for charts are not installed."""


def write_report(container: Container, campaign_id: str, out: Path) -> Path:
    """Write the campaign's report to `out` and return its path.

    Raises:
        MissingCharts: the libraries for charts are not installed.
    """
    html = _html(container, campaign_id)
    path = out / REPORT_FILE
    with atomic_write(path) as part:
        part.write_text(html, encoding="utf-8")
    return path


def _html(container: Container, campaign_id: str) -> str:
    try:
        from campaign_workers.entrypoints.cli.report.sections import build_sections
    except ImportError:
        raise MissingCharts("charts need campaign-workers[report]; install it") from None
    figures = Figures(container, campaign_id, Reconciliation(container, campaign_id))
    campaign = container.campaigns.campaign(campaign_id)
    return render_page(
        title=campaign.name or campaign_id,
        lead=" · ".join(part for part in (campaign.artist, campaign_id, figures.days()) if part),
        balanced=all(check.holds for check in figures.reconciliation.checks()),
        tiles=tuple(figures.funnel().iter_rows()),
        sections=build_sections(figures),
        footer=f"campaign-workers {__version__}",
    )
