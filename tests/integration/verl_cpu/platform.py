"""A CPU as one of verl's platforms."""

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import torch
from verl.plugin.platform import PlatformBase, PlatformRegistry


def nothing(*_, **__):
    return None


def none_of_it(*_, **__):
    return 0


class Stream:
    """Work on a CPU is done in order."""

    wait_stream = synchronize = nothing


# What verl calls of torch.cuda.
DEVICE = SimpleNamespace(
    Stream=Stream,
    Event=Stream,
    current_stream=lambda *_: Stream(),
    stream=lambda *_: nullcontext(),
    device=lambda *_: nullcontext(),
    is_available=lambda: True,
    device_count=lambda: 1,
    get_device_name=lambda *_: "cpu",
    mem_get_info=lambda *_: (8 << 30, 16 << 30),
    get_rng_state=lambda *_: torch.get_rng_state(),
    set_rng_state=lambda state, *_: torch.set_rng_state(state),
    **dict.fromkeys(
        (
            *("empty_cache", "synchronize", "set_device", "ipc_collect", "init"),
            *("set_per_process_memory_fraction", "reset_peak_memory_stats"),
            *("manual_seed", "manual_seed_all"),
        ),
        nothing,
    ),
    **dict.fromkeys(
        (
            *("memory_reserved", "memory_allocated", "current_device"),
            *("max_memory_reserved", "max_memory_allocated"),
        ),
        none_of_it,
    ),
)


class Cpu(PlatformBase):
    device_name = property(lambda _: "cpu")
    vendor_name = property(lambda _: "cpu")
    device_module = property(lambda _: DEVICE)

    def is_available(self):
        return True

    def is_platform_available(self, use_smi_check=False):
        return True

    def current_device(self):
        return "cpu"  # batches are moved there

    def device_count(self):
        return 1

    def set_device(self, index):
        pass

    def synchronize(self, index=None):
        pass

    def manual_seed(self, seed):
        torch.manual_seed(seed)

    def manual_seed_all(self, seed):
        torch.manual_seed(seed)

    def set_allocator_settings(self, settings):
        pass

    def empty_cache(self):
        pass

    def get_device_capability(self, index=0):
        return None, None

    def communication_backend_name(self):
        return "gloo"

    def visible_devices_envvar(self):
        return "CPU_VISIBLE_DEVICES"

    @contextmanager
    def nvtx_range(self, message):
        yield

    def profiler_start(self):
        pass

    def profiler_stop(self):
        pass

    def ray_resource_name(self):
        return "GPU"  # the name that verl counts by: ray.init(num_gpus=1)

    def ray_resource_options(self, count):
        return {"num_gpus": count}

    def ray_noset_envvars(self):
        return []

    def is_ipc_supported(self):
        return False

    def cudart(self):
        return None


def register():
    PlatformRegistry.register(platform="cpu")(Cpu)
