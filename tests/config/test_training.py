"""Naming a sampler or a trainer on the command line brings the other."""

import pytest

from curriculum.config.training import expanded


@pytest.mark.parametrize(
    ("given", "comes_to"),
    [
        ("", ""),
        ("bucketer=adaptive", "bucketer=adaptive"),
        ("sampler=bandit", "sampler=bandit trainer=dry_run"),
        ("trainer=dry_run", "trainer=dry_run sampler=frontier"),
        ("sampler=bandit trainer=dry_run", "sampler=bandit trainer=dry_run"),
        ("sampler=bandit trainer=none", "sampler=bandit trainer=none"),
        ("sampler.floor=0.1", "sampler.floor=0.1 sampler=frontier trainer=dry_run"),
        ("-m seed=1,2,3", "-m seed=1,2,3 sampler=frontier trainer=dry_run"),
        ("sampler=bandit --help", "sampler=bandit trainer=dry_run --help"),
        ("sampler=bandit --cfg job", "sampler=bandit trainer=dry_run --cfg job"),
        ("sampler=a,b seed=1,2 -m", "sampler=a,b seed=1,2 trainer=dry_run -m"),
        ("preset=curriculum seed=1", "preset=curriculum seed=1"),
        ("preset=curriculum sampler=bandit", "preset=curriculum sampler=bandit trainer=dry_run"),
        ("-cn mine trainer.steps=3", "-cn mine trainer.steps=3"),
        ("-cn mine sampler=bandit", "-cn mine sampler=bandit"),
    ],
)
def test_what_a_command_line_comes_to(given, comes_to):
    assert expanded(given.split()) == comes_to.split()
