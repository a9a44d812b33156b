# Says which lines and branches of csrc/ were run, by room, and names the others:
# tools/coverage.py BUILD..., folders of build/ that were made with --coverage and have run.
# A line or branch counts when any of the builds ran it. What cannot run on this machine, or at all,
# stands in LEFT and GUARDS: it is counted apart with its reason, and is not part of the sums.
import collections
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Reason -> files, or "file:function".
LEFT = {
    "the coroutine transport, which needs libmongoc 1.26": (
        "csrc/compat/context.h",
        "csrc/compat/mongoc.h:modm_client_set_usleep",
        "csrc/driver/coroutine.c",
        "csrc/driver/coroutine_lua.c",
        "csrc/driver/coroutine_stream.c",
        "csrc/driver/log.c:modm_log_mute",
        "csrc/driver/worker.c:bind_to",
        "csrc/driver/worker.c:follows_its_session",
        "csrc/driver/worker.c:modm_worker_is_wanted",
        "csrc/driver/worker.c:modm_worker_wants",
    ),
}


# Reason -> what the text of a line has, one of whose branches was not taken.
GUARDS = {
    "the coroutine transport, which needs libmongoc 1.26, in a condition of all transports":
        re.compile(r"->suspends\b|->fiber\b"),
    "guards on bytes that modm has written or looked through already, that they are BSON":
        re.compile(r"\b(modm_(reader_init|element_at|element_read|document_element|op_bson"
                   r"|bson_borrow)|bson_iter_(init|recurse)) \(|\.bad\b|\bno BSON\b"),
}

# Of `ok || modm_error_set (...)` no branch is left for success: these functions return false.
FAILS = re.compile(r"\|\| (modm_(error_\w+|filter_misuse|driver_error)|refuse_operator) \([^;]*;$")


def reports(build):
    """gcov's JSON for each object of a build; one that never ran has counts of zero."""
    objects = os.path.join(ROOT, build, "obj")
    notes = [os.path.join(folder, name) for folder, _, names in os.walk(objects)
             for name in names if name.endswith(".gcno")]
    with tempfile.TemporaryDirectory() as work:
        subprocess.run(["gcov", "--json-format", "--branch-probabilities", "--hash-filenames",
                        *notes], cwd=work, check=True, capture_output=True)
        for name in os.listdir(work):
            with gzip.open(os.path.join(work, name), "rt") as report:
                yield json.load(report)


def gather(builds):
    """lines: file -> line -> count; branches: file -> (line, place) -> count; functions: (file,
    line) -> name."""
    lines = collections.defaultdict(collections.Counter)
    branches = collections.defaultdict(collections.Counter)
    functions = {}
    for build in builds:
        for report in reports(build):
            for source in report["files"]:
                file = os.path.relpath(os.path.join(ROOT, source["file"]), ROOT)
                if not file.startswith("csrc/"):
                    continue
                for line in source["lines"]:
                    number = line["line_number"]
                    lines[file][number] += line["count"]
                    functions[file, number] = line.get("function_name")
                    for place, branch in enumerate(line["branches"]):
                        branches[file][number, place] += branch["count"]
    return lines, branches, functions


def set_apart(lines, branches, functions):
    """Takes out what LEFT names and did not run, and prints how much that is."""
    for reason, places in LEFT.items():
        n_lines = n_branches = 0
        for file in list(lines):
            def is_left(number):
                return file in places or f"{file}:{functions[file, number]}" in places
            lines_left = [n for n, count in lines[file].items() if not count and is_left(n)]
            branches_left = [at for at, count in branches[file].items()
                             if not count and is_left(at[0])]
            for number in lines_left:
                del lines[file][number]
            for at in branches_left:
                del branches[file][at]
            n_lines += len(lines_left)
            n_branches += len(branches_left)
        print(f"left, {n_lines} lines and {n_branches} branches: {reason}:", *places, sep="\n  ")


def set_guards_apart(lines, branches):
    """Takes out the branches of GUARDS and FAILS that were not taken, and prints how many."""
    for reason, pattern in GUARDS.items():
        n_lines = n_branches = 0
        for file in branches:
            text = source(file)
            for at in [at for at, count in branches[file].items()
                       if not count and pattern.search(text[at[0] - 1])]:
                del branches[file][at]
                n_branches += 1
            for number in [n for n, count in lines[file].items()
                           if not count and pattern.search(text[n - 1])]:
                del lines[file][number]
                n_lines += 1
        print(f"left, {n_lines} lines and {n_branches} branches: {reason}")
    n_branches = sum(set_failure_apart(file, branches[file]) for file in branches)
    print(f"left, {n_branches} branches: a function that always fails, after ||")


def source(file):
    with open(os.path.join(ROOT, file), encoding="utf-8") as text:
        return text.read().split("\n")


def set_failure_apart(file, branches):
    """Takes out the last but one branch of each line that ends in `|| a failure`, if not taken."""
    text = source(file)
    last = collections.Counter()
    for number, place in branches:
        last[number] = max(last[number], place)
    left = [(number, place) for (number, place), count in branches.items()
            if not count and place == last[number] - 1 and branches[number, place + 1]
            and always_fails(text, number)]
    for at in left:
        del branches[at]
    return len(left)


def always_fails(text, number):
    """Whether the statement that begins in this line ends in a failure."""
    statement = text[number - 1]
    while not statement.rstrip().endswith((";", "{", "}")) and number < len(text):
        statement += " " + text[number].strip()
        number += 1
    return FAILS.search(statement) is not None


def share(counts):
    ran = sum(count > 0 for count in counts)
    return ran, len(counts), 100 * ran / len(counts) if counts else 100


def print_missing(lines, branches):
    for file in sorted(lines):
        missing = [str(n) for n, count in sorted(lines[file].items()) if not count]
        if missing:
            print(f"{file}: lines {' '.join(missing)}")
    for file in sorted(branches):
        # a line that did not run at all is named above
        missing = sorted({n for (n, _), count in branches[file].items()
                          if not count and lines[file][n]})
        if missing:
            print(f"{file}: branches of {' '.join(map(str, missing))}")


def main(builds):
    lines, branches, functions = gather(builds)
    set_apart(lines, branches, functions)
    set_guards_apart(lines, branches)
    print_missing(lines, branches)
    rooms = collections.defaultdict(lambda: ([], []))
    for file in lines:
        room = file.split("/")[1]
        for name in (room, "all"):
            rooms[name][0].extend(lines[file].values())
            rooms[name][1].extend(branches[file].values())
    print(f"{'room':10} {'lines':>22} {'branches':>24}")
    for name in sorted(rooms, key=lambda name: (name == "all", name)):
        ran, total, percent = share(rooms[name][0])
        b_ran, b_total, b_percent = share(rooms[name][1])
        print(f"{name:10} {ran:7} of {total:5} {percent:5.1f}% {b_ran:7} of {b_total:5} "
              f"{b_percent:5.1f}%")


if __name__ == "__main__":
    main(sys.argv[1:])
