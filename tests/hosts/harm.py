"""What is done to hosts: each kind of harm to each kind of host once, in an order and for times that a seed gives."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.hosts.lab import LEASE, Lab
from tests.hosts.servers import Server

SLOW = 48
"""KiB a second of a link that is slowed: a checkpoint of the tests takes a second."""
Act = Callable[[], object]


@dataclass(frozen=True)
class Harm:
    """One harm: of what kind, to what, for how many seconds."""

    kind: str
    to: str
    """The kind of host, or both kinds of two that do not hear each other."""
    hosts: tuple[str, ...]
    """Their names."""
    seconds: float
    begin: Act = field(repr=False)
    heal: Act = field(repr=False)


def plan(lab: Lab, chance: random.Random) -> list[Harm]:
    """Return every kind of harm to every kind of host, in some order."""
    api, worker = (lambda: chance.choice(lab.apis)), (lambda: chance.choice(lab.workers))
    chosen: list[Callable[[], Server]] = [lambda: lab.postgres, lambda: lab.redis, lambda: lab.s3, api, worker]
    kinds = (_killed, _power_lost, _frozen, _cut, _slowed)
    found = [kind(pick(), chance) for kind in kinds for pick in chosen]
    for pick in (api, worker):
        found += [_parted(pick(), server, chance) for server in (lab.postgres, lab.redis, lab.s3)]
    chance.shuffle(found)
    return found


def _killed(server: Server, chance: random.Random) -> Harm:
    host = server.host
    return Harm("killed", server.kind, (host.name,), chance.uniform(0.5, 2), host.kill, server.start)


def _power_lost(server: Server, chance: random.Random) -> Harm:
    """It comes back with what is on its disk, in a new boot, and closes no connection before."""
    host = server.host
    return Harm("power lost", server.kind, (host.name,), chance.uniform(2, LEASE + 2), host.lose_power, server.boot)


def _frozen(server: Server, chance: random.Random) -> Harm:
    host = server.host
    return Harm("frozen", server.kind, (host.name,), chance.uniform(LEASE + 1, LEASE + 4), host.freeze, host.thaw)


def _cut(server: Server, chance: random.Random) -> Harm:
    host = server.host
    return Harm("cut off", server.kind, (host.name,), chance.uniform(2, LEASE + 6), host.cut, host.join)


def _slowed(server: Server, chance: random.Random) -> Harm:
    host = server.host
    return Harm("slowed", server.kind, (host.name,), chance.uniform(5, 10), lambda: host.slow(SLOW), host.speed_up)


def _parted(one: Server, other: Server, chance: random.Random) -> Harm:
    hosts = (one.host.name, other.host.name)
    return Harm(
        "parted",
        f"{one.kind} and {other.kind}",
        hosts,
        chance.uniform(3, LEASE + 5),
        lambda: one.host.part(other.host),
        lambda: one.host.reunite(other.host),
    )


@contextmanager
def done(harm: Harm) -> Iterator[None]:
    """Do harm for as long as the block takes."""
    harm.begin()
    try:
        yield
    finally:
        harm.heal()
