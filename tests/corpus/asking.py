"""Runs of one case: it ends in time, in what was asked for or in an error that names its place."""

import json
import signal
from contextlib import contextmanager

from curriculum import data
from curriculum.core.errors import UserError
from curriculum.run.reading import load
from curriculum.store.entries import Store

LIMIT = 20  # seconds of a case
READERS = (data.Rollouts, data.Verl, data.Buckets)


class TooLong(BaseException):
    """No Exception: what turns those into errors of ours must not hide it."""


@contextmanager
def in_time():
    def end(*_):
        raise TooLong

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def read(path, store, reader=data.Rollouts):
    """Read all of what a path has, as a run does; the message, None where it could be read.

    Whatever is no UserError goes through, and so does a row that was silently dropped.
    """
    source = reader(path)
    try:
        with in_time():
            stored = load(Store(str(store)), "problems", source, 100)
            if reader is data.Verl:
                return None
            assert stored.rollouts is not None
            count = len(stored.rollouts)
            assert sum(len(batch) for batch in source.responses()) == count
            assert sum(len(table) for table in source.rows()) == count
    except UserError as error:
        return str(error)
    return None


def strict_json(path):
    """What a file says, with numbers that JSON has alone."""

    def refuse(name):
        raise AssertionError(f"{path} has {name}, which is not JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
