# SPDX-License-Identifier: Apache-2.0
"""What went wrong with a request, in the terms that decide what happens next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """How a failed request is treated."""

    REFUSED = "refused"
    """The same request will fail again."""
    BUSY = "busy"
    """The request was not taken; it may be sent again after a pause."""
    QUOTA = "quota"
    """A quota is used up until a known time."""
    BROKEN = "broken"
    """The service failed; the request may have taken effect."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One failed answer, read.

    :param kind: how to treat it.
    :param said: the service's own words.
    :param advice: what the reader should do.
    :param error_type: the service's own word for the error, where it has one.
    :param retry_after: seconds to wait, where the service said so.
    """

    kind: Kind
    said: str
    advice: str
    error_type: str | None = None
    retry_after: float | None = None


FaultReader = Callable[[int, Mapping[str, str], bytes], Fault | None]
"""Reads status, headers and body of an answer; ``None`` means the answer is good."""
