"""From prompts to rollouts, rewards, difficulty and buckets: `python run.py --help`."""

import sys

from curriculum.run.command import start

if __name__ == "__main__":
    sys.exit(start())
