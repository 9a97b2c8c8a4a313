"""From prompts to rollouts, rewards, difficulty and buckets: `python run.py --help`."""

import sys

import hydra
from omegaconf import DictConfig

from curriculum.compare import sweep_end
from curriculum.config import legacy, plugins, verl_config
from curriculum.core.errors import explained
from curriculum.sweep import launchers, resume


@hydra.main(version_base="1.3", config_path=str(plugins.conf_dir()), config_name="config")
def main(cfg: DictConfig) -> None:
    """Run one job."""
    from curriculum.run import job

    job.run(cfg)


if __name__ == "__main__":
    with explained():
        plugins.register()
        launchers.register()
        legacy.check_arguments(sys.argv[1:])
        sys.argv[1:] = verl_config.expanded(resume.expanded(sys.argv[1:]))
        main()
    sys.exit(1 if sweep_end.failed_jobs else 0)
