"""One self-contained page: sections of charts and tables, no script, no network."""

from collections.abc import Sequence
from html import escape
from string import Template

import attrs

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { --ink: #1b2733; --muted: #66788a; --line: #e3e9ee; --accent: #0f7b6c; --paper: #f7f9fa; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
       font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 40px 24px 80px; }
h1 { font-size: 2rem; margin: 0; letter-spacing: -0.02em; }
h2 { font-size: 1.15rem; margin: 0 0 4px; }
.lead, .note { color: var(--muted); margin: 0 0 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px;
         margin: 24px 0; }
.tile, section { background: #fff; border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 14px 16px; }
.tile b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.tile span { color: var(--muted); font-size: 0.85rem; }
section { padding: 22px 24px; margin: 16px 0; overflow-x: auto; }
svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem;
        font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--muted); font-weight: 600; }
th, td { padding: 6px 18px 6px 0; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; }
.ok { color: var(--accent); font-weight: 600; }
.wrong { color: #b3261e; font-weight: 600; }
footer { color: var(--muted); font-size: 0.85rem; margin-top: 28px; }
code { font-size: 0.85em; overflow-wrap: anywhere; }
@media print { body { background: #fff; } section, .tile { break-inside: avoid; } }
</style>
</head>
<body><main>
<h1>$title</h1>
<p class="lead">$lead</p>
<div class="tiles">$tiles</div>
$sections
<footer>$footer</footer>
</main></body>
</html>
""")


@attrs.frozen(kw_only=True)
class Section:
    """A part of the page: `body` is ready HTML, the other texts are not."""

    title: str
    note: str = ""
    body: str

    def html(self) -> str:
        """The section as HTML."""
        return (
            f'<section><h2>{escape(self.title)}</h2><p class="note">{escape(self.note)}</p>'
            f"{self.body}</section>"
        )


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; numbers are set right, truth values as yes and no."""
    numeric = [
        all(isinstance(row[at], int | float) and not isinstance(row[at], bool) for row in rows)
        for at in range(len(columns))
    ]
    head = "".join(_cell("th", column, numeric[at]) for at, column in enumerate(columns))
    lines = (
        "".join(_cell("td", _shown(value), numeric[at]) for at, value in enumerate(row))
        for row in rows
    )
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def page(
    *,
    title: str,
    lead: str,
    tiles: Sequence[tuple[str, int]],
    sections: Sequence[Section],
    footer: str,
) -> str:
    """The whole page."""
    return _PAGE.substitute(
        title=escape(title),
        lead=escape(lead),
        tiles="".join(
            f'<div class="tile"><b>{value:,}</b><span>{escape(name)}</span></div>'
            for name, value in tiles
        ),
        sections="\n".join(section.html() for section in sections),
        footer=escape(footer),
    )


def _cell(tag: str, text: str, numeric: bool) -> str:
    kind = ' class="number"' if numeric else ""
    return f"<{tag}{kind}>{escape(text)}</{tag}>"


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
