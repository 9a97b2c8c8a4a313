"""verl asks torch for backends by device: "cpu:gloo,cpu:gloo" names the CPU twice."""

import torch.distributed


def name_each_device_once():
    asked = torch.distributed.init_process_group

    def init_process_group(backend=None, *args, **kwargs):
        return asked("cpu:gloo" if backend == "cpu:gloo,cpu:gloo" else backend, *args, **kwargs)

    torch.distributed.init_process_group = init_process_group
