# The works of bench/works.txt: reading the list, and measuring programs at one of them.
import collections
import os
import statistics
import sys

import support

RAW = os.path.join(support.BUILD, "raw")
LARGE = 20000  # the number of documents that --n stands for; smaller works keep their share

# Each program is called with WORK N and prints: work, n, wall, CPU, checksum. The first one is what
# the others are compared with.
OURS = {
    "raw": [RAW],
    "modm-lua5.4": support.lua("lua5.4", "modm.lua"),
    "modm-luajit": support.lua("luajit", "modm.lua"),
}

Work = collections.namedtuple("Work", "n target reads rate text")


def read_works():
    """bench/works.txt as {name: Work}; a target is None where there is none."""
    works = {}
    with open(os.path.join(support.BENCH, "works.txt"), encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                name, n, target, traits, text = line.split(None, 4)
                traits = traits.split(",")
                works[name] = Work(int(n), None if target == "-" else float(target),
                                   "reads" in traits, "rate" in traits, text.strip())
    return works


def count_of(work, n):
    """The number of a work's documents when a large one has n."""
    return max(work.n * n // LARGE, 10)


def run_work(name, work, n, rounds, programs, env, verified="bytes"):
    """All rounds of a work: {impl: (wall, cpu)}, medians. Ends the program if results differ: the
    checksums, and what is stored, to the byte or by the values of its fields."""
    runs = {impl: [] for impl in programs}
    first = stored = None
    for _ in range(rounds):
        for impl, command in programs.items():
            if not (work.reads and stored):
                support.call([RAW, "prepare", name, str(n)], env)
            _, _, wall, cpu, checksum = support.call(command + [name, str(n)], env)
            if not (work.reads and stored):
                hashes = dict(zip(("bytes", "values"), support.call([RAW, "verify"], env)))
                stored = hashes[verified]
            result = (float(checksum), stored)
            first = first or (impl, result)
            if result != first[1]:
                sys.exit(f"bench: {name}: {impl} has {result}, {first[0]} has {first[1]}")
            runs[impl].append((float(wall), float(cpu)))
    return {impl: tuple(statistics.median(column) for column in zip(*times))
            for impl, times in runs.items()}


def rows_of(name, work, n, medians):
    base_wall, base_cpu = next(iter(medians.values()))
    rows = []
    for impl, (wall, cpu) in medians.items():
        row = {"work": name, "impl": impl, "n": n, "wall_s": round(wall, 6),
               "cpu_s": round(cpu, 6), "ratio_cpu": round(cpu / base_cpu, 2),
               "ratio_wall": round(wall / base_wall, 2)}
        if work.rate:
            row["documents_per_s"] = round(n / wall)
        rows.append(row)
    return rows
