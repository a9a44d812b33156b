# What the programs of peers in Python share: the data of ../data.c, and measuring a work.
import datetime
import gc
import os
import sys
import time

from bson import ObjectId

BATCH = 1000
EPOCH = datetime.datetime(1970, 1, 1)
# The bytes of `_cls` in a person and its address, for those who do not store it.
CLASS_BYTES = len(b"\x02_cls\0\7\0\0\0Person\0" b"\x02_cls\0\x08\0\0\0Address\0")


def key_of(i):
    return ObjectId(f"6500000000000000{i:08x}")


def make_person(i):
    """The values of a person; those of its address are apart."""
    person = {
        "name": f"Zoë Person {i:04}", "nick": f"nick-{i}", "email": f"person{i}@example.com",
        "age": 18 + i % 60, "visits": 10**10 + i * 7919, "score": i * 0.5, "active": i % 3 == 0,
        "joined": EPOCH + datetime.timedelta(seconds=1500000000 + i * 86400),
        "team": key_of(i % 10), "tags": [f"tag{(i + t) % 20}" for t in range(5)], "level": i % 7,
    }
    address = {"street": f"{i} Long Street", "city": f"City {i % 50}", "zip": f"{i:05}"}
    return person, address


POOL = [make_person(i) for i in range(1000)]


def build(Person, Address, i):
    """A new instance of its own parts: the pool is data that came from elsewhere."""
    values, address = POOL[i % len(POOL)]
    return Person(**{**values, "tags": list(values["tags"])}, address=Address(**address))


def sum_all(p, team=key_of(0)):
    """The checksum of every field, in bytes: the name has a letter of two."""
    a, t = p.address, p.tags
    return (len(p.name) + 1 + len(p.nick) + len(p.email) + p.age + p.visits + p.score
            + (1 if p.active else 0) + int((p.joined - EPOCH).total_seconds())
            + (1 if p.team == team else 0) + len(a.street) + len(a.city) + len(a.zip)
            + len(t[0]) + len(t[1]) + len(t[2]) + len(t[3]) + len(t[4]) + p.level)


def sum_three(p):
    return len(p.name) + 1 + p.age + (1 if p.active else 0)


def batches(start, count, make):
    """Lists of a thousand new instances."""
    for first in range(start, start + count, BATCH):
        yield [make(i) for i in range(first, min(first + BATCH, start + count))]


def uri():
    return os.environ["MODM_URI"]


def measure(works, wait=lambda result: result):
    """Runs the work that the command line names, as modm.lua does. `wait` is for coroutines."""
    name, n = sys.argv[1], int(sys.argv[2])
    warm = max(n // 10, 1)
    run, setup = works[name], works.get(name + "_setup")

    def prepared(start, count):
        return [wait(setup(start, count))] if setup else []

    wait(run(0, warm, *prepared(0, warm)))
    ready = prepared(warm, n)
    gc.collect()
    wall, cpu = time.monotonic(), time.process_time()
    total = wait(run(warm, n, *ready))
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    print(f"{name} {n} {wall:.6f} {cpu:.6f} {float(total):.1f}")
