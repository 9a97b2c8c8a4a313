"""What keeps any sampler within bounds: a part for each, composed by `Curriculum`."""

from curriculum.samplers.rails.floor import Floor
from curriculum.samplers.rails.knobs import Rails
from curriculum.samplers.rails.lanes import Lane, lanes_of
from curriculum.samplers.rails.outages import Outages
from curriculum.samplers.rails.repeats import Repeats

__all__ = ["Floor", "Lane", "Outages", "Rails", "Repeats", "lanes_of"]
