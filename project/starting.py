"""The first files of a new project: those of project/starter, filled in for its name and its source."""

import re
from collections.abc import Collection
from pathlib import Path

from project.imported import Imported

_HERE = Path(__file__).parent
_STARTER, _SCHEMAS = _HERE / "starter", _HERE / "schemas"
_MOST_TABLES = 20  # that the first view counts; counting takes time
# Where editors find the schemas, from a file one folder down.
SCHEMAS_FROM_FOLDER = "../.vscode/headrace"


def project_name(text: str) -> str:
    """The nearest text that can name a project or a source; "project" if nothing is near."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).lstrip("-0123456789")[:41].rstrip("-") or "project"


def starter_files(name: str, source: str | None = None, imported: Imported | None = None) -> dict[str, str]:
    """Path in the new project → text. With an imported source that source's files, else an example's."""
    files = {path.relative_to(_STARTER).as_posix(): path.read_text() for path in sorted(_STARTER.rglob("*")) if path.is_file()}
    files |= {f".vscode/headrace/{path.name}": path.read_text() for path in sorted(_SCHEMAS.glob("*.json"))}
    filled = {path: text.replace("{name}", name).replace("{title}", name.replace("-", " ").capitalize()) for path, text in files.items()}
    if imported and source:
        filled = {path: text for path, text in filled.items() if "example" not in path}
        filled |= {f"sources/{source}.yaml": imported.source, f"streams/{source}.yaml": imported.stream}
    tables = list(imported.targets.values()) if imported else ["orders"]
    return filled | {"views/rows_per_table.sql": _rows_per_table(tables)}


def _rows_per_table(tables: Collection[str]) -> str:
    counts = "\nunion all\n".join(
        f"select '{table}' as table_name, count(*) as row_count\nfrom {table}" for table in list(tables)[:_MOST_TABLES]
    )
    return f"""/*
title: Rows per table
description: How many rows each table has. Something to see at once; replace it with a question of yours.
columns:
  table_name: {{description: The table., label: Table}}
  row_count: {{description: Its rows., label: Rows, format: ",d"}}
metrics:
  row_count_sum: {{expression: sum(row_count), label: Rows, description: Rows of all tables that are shown., format: ",d"}}
*/
{counts};
"""
