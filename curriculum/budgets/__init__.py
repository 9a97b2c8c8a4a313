"""How many rollouts each problem gets."""

from curriculum.budgets.fixed import Fixed
from curriculum.budgets.sequential import Sequential, Tally, Verdict, equal_fixed
from curriculum.budgets.stopping import Question

__all__ = ["Fixed", "Question", "Sequential", "Tally", "Verdict", "equal_fixed"]
