"""What a project's consumers do with events: write them into a table, or into a topic in Avro."""

from consumers.avro import AvroDecoder
from consumers.encoding import AvroWriter
from consumers.events import Decoder, json_text
from consumers.loop import Handler
from consumers.receiving import ReceivedEvents
from project.environment import Environment
from project.models import Project, Receiver


def handler_of(project: Project, environment: Environment, consumer: Receiver) -> Handler:
    """Makes no connection."""
    table = ReceivedEvents(environment.analytics, project.schema_, consumer)
    stream = project.encoders.get(consumer.name)
    return AvroWriter(project, environment, stream.source, table) if stream else table


def decoder_of(environment: Environment) -> Decoder:
    """JSON alone where there is no registry."""
    return AvroDecoder(environment.registry) if environment.registry else json_text
