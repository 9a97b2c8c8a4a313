"""What keeps any sampler within bounds: a part for each, composed by `Curriculum`."""

from curriculum.samplers.guards.floor import Floor
from curriculum.samplers.guards.outages import Outages
from curriculum.samplers.guards.quotas import Lane, lanes_of
from curriculum.samplers.guards.repeats import Repeats
from curriculum.samplers.guards.settings import Rails

__all__ = ["Floor", "Lane", "Outages", "Rails", "Repeats", "lanes_of"]
