"""Lets verl 0.9 train on a CPU: a platform, and a rollout server that repeats itself.

    PYTHONPATH=tests/integration VERL_USE_EXTERNAL_MODULES=verl_cpu VERL_PLATFORM=cpu \
        VERL_ENGINE_DEVICE=cuda python -m verl.trainer.main_ppo \
        actor_rollout_ref.rollout.name=cpu trainer.device=cpu ...

Both are put into verl's own registries; one function of torch is patched, in `backend`.
"""

from verl_cpu import backend, platform, rollout

backend.name_each_device_once()
platform.register()
rollout.register()
