"""How many rollouts each problem gets."""

from curriculum.budgets.fixed import Fixed
from curriculum.budgets.parts.question import Question, question_of
from curriculum.budgets.sequential import Sequential, Tally, Verdict, equal_fixed

__all__ = ["Fixed", "Question", "Sequential", "Tally", "Verdict", "equal_fixed", "question_of"]
