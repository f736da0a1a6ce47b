"""Reads a project folder: files → documents → specs → checks between them. Every problem is found before any is raised."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from project.checks import check_project
from project.dashboards import Dashboard
from project.events.models import EventSchema
from project.filters.reading import repeated_ids
from project.located_yaml import read_yaml
from project.models import Project, Receiver, Source, Stream, View
from project.problems import LocatedMapping, Location, Problem, ProjectError, quoted
from project.selects import Select
from project.spec_errors import SpecT, read_spec
from project.spec_files import PROJECT_FILE, SpecFile, find_files
from project.view_files import read_view


def load_project(folder: Path) -> Project:
    """The project in a folder; ProjectError holds every problem found in it."""
    reading = _Reading()
    files = find_files(folder, reading.problems)
    project = reading.project(files[PROJECT_FILE], folder.resolve().name)
    project = project.model_copy(
        update={
            "sources": {file.name: spec for file in files["sources"] if (spec := reading.source(file, project.name))},
            "events": {file.name: spec for file in files["events"] if (spec := reading.spec(EventSchema, file))},
            "streams": {file.name: spec for file in files["streams"] if (spec := reading.stream(file))},
            "consumers": {file.name: spec for file in files["consumers"] if (spec := reading.spec(Receiver, file))},
            "views": {file.name: spec for file in files["views"] if (spec := reading.view(file))},
            "dashboards": {file.name: spec for file in files["dashboards"] if (spec := reading.spec(Dashboard, file))},
        }
    )
    problems = reading.problems + check_project(project, reading.selects, reading.broken)
    if problems:
        raise ProjectError(problems)
    return project


@dataclass
class _Reading:
    """What reading the files one by one brings together."""

    problems: list[Problem] = field(default_factory=list[Problem])
    selects: dict[str, Select] = field(default_factory=dict[str, Select])  # by view, where the select could be parsed
    broken: set[str] = field(default_factory=set[str])  # "sources/shop" of a file that is there but says no spec

    def project(self, files: list[SpecFile], folder_name: str) -> Project:
        """The project without its parts; a stand-in if project.yaml is wrong, so that the parts can be checked all the same."""
        parts: dict[str, Any] = {"sources": {}, "events": {}, "streams": {}, "consumers": {}, "views": {}, "dashboards": {}}
        for file in files:
            data = self._document(file)
            if data is not None:
                given = parts if "name" in data else {"name": folder_name, **parts}
                data.setdefault("schema", str(data.get("name", folder_name)).replace("-", "_"))
                if project := self._spec(Project, file, data, given):
                    return project
        self.broken.add("project")
        # One letter: what is too long behind it is so behind every name.
        return Project.model_validate({"name": "p", "title": "", "owner": "nobody", "schema": "p", **parts})

    def source(self, file: SpecFile, project: str) -> Source | None:
        data = self._document(file)
        if data is not None:
            data.setdefault("connector", f"{project}-{file.name}")
        return self._spec(Source, file, data, {"name": file.name})

    def stream(self, file: SpecFile) -> Stream | None:
        data = self._document(file)
        self.problems += repeated_ids(data) if data is not None else ()
        return self._spec(Stream, file, data, {"name": file.name})

    def view(self, file: SpecFile) -> View | None:
        header, select = read_view(file.text, file.path, self.problems) if file.text is not None else (None, None)
        given: dict[str, Any] = {"name": file.name, "sql": "", "reads": ()}
        if select:
            self.selects[file.name] = select
            given |= {"sql": select.sql, "reads": tuple(dict.fromkeys(table.name for table in select.tables))}
        view = self._spec(View, file, header, given)
        return view.placed_at("sql", Location(file.path, select.line)) if view and select else view

    def spec(self, kind: type[SpecT], file: SpecFile) -> SpecT | None:
        return self._spec(kind, file, self._document(file), {"name": file.name})

    def _document(self, file: SpecFile) -> LocatedMapping | None:
        return read_yaml(file.text, file.path, self.problems) if file.text is not None else None

    def _spec(self, kind: type[SpecT], file: SpecFile, data: LocatedMapping | None, given: Mapping[str, Any]) -> SpecT | None:
        """The spec that a document says, together with what its place in the folder gives."""
        if data is not None:
            for key in data.keys() & given.keys():
                message = f"key {quoted(key)} cannot be set; it follows from the project's files; remove it"
                self.problems.append(Problem(data.key_locations[key], message))
            data.update(given)
            data.given = given.keys()
        spec = read_spec(kind, data, self.problems)
        if spec is None:
            self.broken.add(file.id)
        return spec
