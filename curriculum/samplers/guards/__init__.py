"""What keeps any sampler within bounds: a part for each, composed by `Curriculum`."""

from curriculum.samplers.guards.floor import Floor
from curriculum.samplers.guards.outages import Outages
from curriculum.samplers.guards.quotas import PerSourceSampler, Quota, quotas_of
from curriculum.samplers.guards.repeats import Repeats
from curriculum.samplers.guards.settings import Guards

__all__ = ["Floor", "Guards", "Outages", "PerSourceSampler", "Quota", "Repeats", "quotas_of"]
