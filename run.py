"""From prompts to rollouts, rewards, difficulty and buckets: `python run.py --help`."""

import sys

import hydra
from omegaconf import DictConfig

from curriculum import launchers, old_names, plugins, resume, sweep, verl_config
from curriculum.errors import explained


@hydra.main(version_base="1.3", config_path=str(plugins.conf_dir()), config_name="config")
def main(cfg: DictConfig) -> None:
    """Run one job."""
    from curriculum import job

    job.run(cfg)


if __name__ == "__main__":
    with explained():
        plugins.register()
        launchers.register()
        old_names.check_arguments(sys.argv[1:])
        sys.argv[1:] = verl_config.expanded(resume.expanded(sys.argv[1:]))
        main()
    sys.exit(1 if sweep.failed_jobs else 0)
