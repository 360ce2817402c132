"""The exceptions of hwact.

::

    HwactError
    ├── RequestError      the request is wrong: exit status 2
    ├── CheckError        a check failed (bound not met, mismatch): exit status 1
    └── ToolError         a tool is missing or broke: exit status 3
"""

__all__ = ["CheckError", "HwactError", "RequestError", "ToolError"]


class HwactError(Exception):
    """Base of every error that hwact raises on purpose; its text is one sentence."""

    exit_status = 3


class RequestError(HwactError, ValueError):
    """The request cannot be served as it is written."""

    exit_status = 2


class CheckError(HwactError):
    """A check ran and its answer is no."""

    exit_status = 1


class ToolError(HwactError, RuntimeError):
    """An external tool is missing, broke, or ran out of time."""

    exit_status = 3
