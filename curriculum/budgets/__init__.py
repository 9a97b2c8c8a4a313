"""How many rollouts each problem gets."""

from curriculum.budgets.base import Budget, Findings, Setting, Tally
from curriculum.budgets.fixed import Fixed
from curriculum.budgets.sequential import Sequential

__all__ = ["Budget", "Findings", "Fixed", "Sequential", "Setting", "Tally"]
