# SPDX-License-Identifier: Apache-2.0
"""A TCP port nobody listens on."""

from __future__ import annotations

import random
import socket

# Below the range from which the kernel takes ports for outgoing connections (Linux 32768, others 49152):
# what is free now cannot be taken by some client before the server under test binds it.
_FIRST, _LAST = 15000, 32000
_given: set[int] = set()


def free_port() -> int:
    """Find a port that can be bound on every interface; never the same twice in one process."""
    source = random.SystemRandom()
    for _ in range(200):
        port = source.randint(_FIRST, _LAST)
        if port in _given:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise RuntimeError(f"no free TCP port found between {_FIRST} and {_LAST}")
