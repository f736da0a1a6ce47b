"""Whether the events of a stream can be written as Avro."""

from collections.abc import Iterator, Set

from project.events.encoding import filtered_schema
from project.events.export import NotInAvro
from project.models import Project, Stream
from project.problems import Problem, listed, suggestion


def check_avro(stream: Stream, project: Project, broken: Set[str]) -> Iterator[Problem]:
    """Topics that the stream does not write, events without a schema, names that Avro does not have."""
    here, written = stream.at("avro"), sorted({topic for one in stream.filters for topic, _ in one.outputs})
    for topic in stream.avro:
        if topic not in written:
            way_out = suggestion(topic, written, "correct it, or write a filter")
            yield Problem.say(here, f'no filter of the stream writes to topic "{topic}"', f"there is {listed(written)}", way_out)
    if not stream.avro or any(file.startswith("events/") for file in broken):
        return
    if stream.name + "-avro" in project.consumers:
        what = f"consumer {stream.name}-avro is what writes the Avro of stream {stream.name}"
        yield Problem.say(project.consumers[f"{stream.name}-avro"].declared_at, what, "expected another name", "rename it")
    schemas = project.event_schemas(stream.source)
    if not schemas:
        what = f"avro, and no event of source {stream.source} has a schema"
        yield Problem.say(here, what, "expected one for each kind of event", "write events/<eventName>.yaml, or remove avro")
    for schema in schemas.values():
        try:
            filtered_schema(schema, project.name)
        except NotInAvro as error:
            yield Problem(schema.declared_at, f"stream {stream.name} writes it as Avro: {error}".replace("export JSON Schema", "rename it"))
