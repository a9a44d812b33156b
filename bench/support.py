# What the programs that run benches share: where things are, the server's URI, results as JSON.
import json
import os
import re
import subprocess
import sys

BENCH = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(BENCH)
BUILD = os.path.join(ROOT, "build", "bench")


def lua(flavour, program):
    """The command that runs a Lua program of this folder with the module of a build."""
    return [os.path.join(ROOT, "tools", "lua-env"), flavour, flavour, os.path.join(BENCH, program)]


def build():
    subprocess.run([os.path.join(BENCH, "build")], check=True)


def environment():
    """The environment of the programs: a database of the bench's own on the server of MODM_URI."""
    uri = os.environ.get("MODM_URI")
    if not uri:
        sys.exit("bench: MODM_URI is not set: use `make bench`, or tools/with-mongod bench/run")
    parts = re.fullmatch(r"(mongodb[^:]*://[^/?]+)/?([^?]*)(.*)", uri)
    if not parts:
        sys.exit("bench: MODM_URI is no URI of MongoDB")
    hosts, database, query = parts.groups()
    if "@" in hosts and database and "authsource=" not in query.lower():
        query += ("&" if query else "?") + "authSource=" + database
    # libmongoc's counters in /dev/shm outlive a killed process, and the next one warns.
    return dict(os.environ, MODM_URI=f"{hosts}/modm_bench{query}", MONGOC_DISABLE_SHM="1")


def call(command, env):
    """The words that a program prints; its failure ends the bench."""
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: failed with {done.returncode}: {' '.join(command)}")
    return done.stdout.split()


def results_file(name, whole):
    """Where results go: those of a whole run are kept in bench/."""
    return os.path.join(BENCH if whole else BUILD, name)


def read_results(name):
    with open(os.path.join(BENCH, name), encoding="utf-8") as kept:
        return json.load(kept)


def write_results(path, results):
    with open(path, "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join("  " + json.dumps(row) for row in results) + "\n]\n")
    print(f"\nWritten: {os.path.relpath(path)}")
