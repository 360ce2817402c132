"""Where points are evaluated: processes of this machine, or the workers of a Dask cluster."""

import concurrent.futures
import contextlib
import gc
import logging
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures.process import BrokenProcessPool

from ..errors import ToolError

__all__ = ["Cluster", "Processes"]

#: Points in flight for each worker, so that none waits for the next.
AHEAD = 2


class _Pool:
    """What ends with a ``with`` statement."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class Processes(_Pool):
    """Worker processes that end with this one, whatever ends it.

    Parameters
    ----------
    jobs : int
    """

    #: What a point raises whose worker ended, or that was in flight beside it.
    lost = (BrokenProcessPool,)
    #: How often a lost point is evaluated again, alone.
    chances = 2

    def __init__(self, jobs):
        self.jobs = jobs
        self._start()

    def _start(self):
        context = multiprocessing.get_context("spawn")
        reader, self._lifeline = context.Pipe(duplex=False)
        self._executor = concurrent.futures.ProcessPoolExecutor(self.jobs, context, _guard, (reader,))

    @property
    def slots(self):
        """Points that should be in flight."""
        return AHEAD * self.jobs

    def submit(self, function, *arguments):
        """A `concurrent.futures.Future` of ``function(*arguments)``."""
        return self._executor.submit(function, *arguments)

    def renew(self):
        """Start anew with fresh workers."""
        self.close()
        self._start()

    def close(self):
        """End the workers, and the tools that they run."""
        self._lifeline.close()
        self._executor.shutdown(cancel_futures=True)
        self._executor = None
        gc.collect()  # what the workers shared is given back


def _guard(lifeline):
    """Let this worker, and the tools that it runs, end as soon as the other end of `lifeline` is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent has heard it, too

    def watch():
        with contextlib.suppress(EOFError, OSError):
            lifeline.recv_bytes()
        from ..synth.tools import stop_tools

        stop_tools()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Cluster(_Pool):
    """The workers of a Dask cluster.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786``.

    Raises
    ------
    ToolError
        If it does not answer.
    """

    #: The scheduler has tried a point several times before it gives up.
    chances = 0
    #: Seconds between looks at the number of workers.
    _GLANCE = 2.0

    def __init__(self, address):
        from distributed import Client
        from distributed.scheduler import KilledWorker

        self.lost = (KilledWorker,)
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is said once, by an exception
        try:
            self._client = Client(address, timeout=10, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            reason = str(error) or type(error).__name__
            raise ToolError(f"Scheduler must answer at {address}, not fail: {reason}") from None
        self._executor = self._client.get_executor()
        self._seen = (0.0, 1)

    @property
    def slots(self):
        """Points that should be in flight: workers may come and go."""
        if time.monotonic() - self._seen[0] > self._GLANCE:
            self._seen = time.monotonic(), max(sum(self._client.nthreads().values()), 1)
        return AHEAD * self._seen[1]

    def submit(self, function, *arguments):
        """A `concurrent.futures.Future` of ``function(*arguments)``."""
        return self._executor.submit(function, *arguments)

    def close(self):
        """Let go of the cluster; what is in flight is cancelled."""
        self._executor.shutdown(wait=False)
        self._client.close()
