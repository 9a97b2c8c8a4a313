"""`report.html`: a run as a page that needs no network."""

from curriculum.report.examples import Report
from curriculum.report.library import Library
from curriculum.report.page import FILE
from curriculum.report.run import of_failure, of_rollouts, of_run

__all__ = ["FILE", "Library", "Report", "of_failure", "of_rollouts", "of_run"]
