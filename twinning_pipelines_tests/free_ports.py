"""Ports of the loopback for servers that a test starts."""

import contextlib
import random
import socket


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody uses now, below those that a system gives away by itself."""
    free = list[int]()
    # Where the order of tests is random, this must not repeat itself from module to module.
    for port in random.SystemRandom().sample(range(10_240, 32_768), 40 * count):
        with socket.socket() as each, contextlib.suppress(OSError):
            each.bind(("127.0.0.1", port))
            free.append(port)
        if len(free) == count:
            return free
    raise OSError(f"fewer than {count} free ports")


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]
