"""From prompts to rollouts, rewards, difficulty and buckets: `python run.py --help`."""

import sys

import hydra
from omegaconf import DictConfig

from curriculum.compare import sweep_end
from curriculum.config import legacy, source, training, usage, verl_config
from curriculum.config.conf import conf_dir
from curriculum.core.errors import explained
from curriculum.sweep import launchers, resume


@hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")
def main(cfg: DictConfig) -> None:
    """Run one job."""
    from curriculum.run import job

    with explained():  # here too: of an error that it sees, Hydra has a line of its own to say
        job.run(cfg)


def start() -> int:
    """What `python run.py` does with the arguments that it was given; its exit status."""
    with explained():
        source.register()
        launchers.register()
        legacy.check_arguments(sys.argv[1:])
        sys.argv[1:] = training.expanded(verl_config.expanded(resume.expanded(sys.argv[1:])))
        if not usage.shown(sys.argv[1:]):
            main()
    return 1 if sweep_end.failed_jobs else 0


if __name__ == "__main__":
    sys.exit(start())
