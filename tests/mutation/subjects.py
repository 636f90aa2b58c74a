"""What mutation testing changes, and which tests have to notice it."""

from pathlib import Path
from typing import Final

import attrs

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = "src/campaign_workers"


@attrs.frozen
class Subject:
    """Modules that are mutated together, and the tests that guard them, fastest first."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]


def _rule(sources: str, *tests: str) -> Subject:
    """Return a subject of the domain: paths of modules, and what follows `test_`."""
    return Subject(
        tuple(f"{PACKAGE}/domain/{path}" for path in sources.split()),
        tuple(f"tests/domain/test_{name}.py" for name in tests),
    )


def _worker(name: str, *tests: str) -> Subject:
    """Return a worker as a subject, with all tests whose names begin with its name."""
    path = f"{PACKAGE}/workers/{name}"
    source = path if (ROOT / path).is_dir() else f"{path}.py"
    own = sorted((ROOT / "tests" / "workers").glob(f"test_{name}*.py"))
    return Subject((source,), (*(str(test.relative_to(ROOT)) for test in own), *tests))


SUBJECTS: Final = {
    "lottery": _rule("lottery.py", "lottery"),
    "bands": _rule("bands.py", "bands"),
    "ranks": _rule("ranks.py", "ranks"),
    "mechanisms": _rule(
        "selection/mechanisms.py", "selection", "selection_ties", "selection_laws"
    ),
    "candidates": _rule(
        "selection/candidates.py", "selection", "selection_ties", "selection_laws"
    ),
    "selection": _rule("selection/selection.py", "selection", "selection_ties", "selection_laws"),
    "quotas": _rule("selection/options.py", "selection"),
    "audit": _rule("selection/audit.py selection/fingerprints.py", "audit"),
    "duplicates": _rule("scrub/duplicates.py", "scrub", "scrub_laws"),
    "scrub-rules": _rule("scrub/rules.py", "scrub", "scrub_laws"),
    "scrubbing": _rule("scrub/scrubbing.py", "scrub", "scrub_laws"),
    "scrub-policy": _rule(
        "scrub/policy.py", "scrub_policy", "scrub_lists", "scrub_wildcards", "scrub"
    ),
    "codes": _rule("codes.py", "codes"),
    "contact": _rule("contact", "phones", "emails"),
    "csv": _rule("csv", "csv_files", "csv_frames"),
    "campaigns": _rule("campaigns.py", "campaigns"),
    "records": _rule("records", "records", "dedupe", "json_columns"),
    "stats": _rule("stats", "stats", "slack"),
    "lake": _rule("storage", "lake"),
    "wire": _rule("wire.py", "wire"),
    "waves": _rule(
        "waves", "waves", "pacing", "notifications", "registrants", "wave_errors",
        "assignment_records", "texting_hours",
    ),
    "preparation": _rule("preparation", "wave_files"),
    "scored-files": Subject(
        (f"{PACKAGE}/domain/scrub/scored_files.py",),
        ("tests/workers/test_process_scored_files.py",),
    ),
    "fan-lists": Subject(
        (f"{PACKAGE}/domain/fanlists.py",), ("tests/workers/test_translate_ranks_to_scores.py",)
    ),
    "running": Subject(
        (f"{PACKAGE}/domain/running", f"{PACKAGE}/domain/errors.py"),
        ("tests/domain/test_public_rules.py", "tests/entrypoints"),
    ),
    **{
        name: _worker(name)
        for name in (
            "generate_sms_wave_codes",
            "load_code_assignments_to_stream",
            "merge_avro_files",
            "move_merged_avro_files",
            "process_scheduled_wave",
            "process_scored_files",
            "process_sms_wave_files",
            "save_campaign_data",
            "save_selection",
            "save_stats",
            "slack_stats",
            "sms_wave_scheduler",
            "sms_wave_send",
            "transform_code_assignments",
            "translate_ranks_to_scores",
        )
    },
}  # fmt: skip
"""Subjects by name, those of fairness first."""
