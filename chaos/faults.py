"""All that can break. What heals only on command is given the command that its check names."""

from chaos import analytics, disks, events, network, processes, sources, topics
from chaos.fault import FAULTS, Fault

__all__ = ["FAULTS", "Fault", "analytics", "disks", "events", "network", "processes", "sources", "topics"]
