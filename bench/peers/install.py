# The peers: where each one's packages go, how they are installed, and the command that runs a work.
import collections
import hashlib
import os
import shutil
import subprocess
import sys

import support

HERE = os.path.dirname(os.path.abspath(__file__))

# A peer's `install` gives the command, or raises OSError or CalledProcessError when it cannot.
Peer = collections.namedtuple("Peer", "text install lacks", defaults=((),))


def path_of(name):
    return os.path.join(HERE, name)


def fetched(name, listed, fetch):
    """The folder of a peer's packages, filled once for each list of packages by fetch(folder)."""
    with open(path_of(listed), "rb") as file:
        digest = hashlib.md5(file.read() + sys.version.encode()).hexdigest()[:8]
    folder = os.path.join(support.BUILD, "peers", f"{name}-{digest}")
    if not os.path.isdir(folder):
        print(f"bench: fetching {name}", flush=True)
        shutil.rmtree(folder + ".new", ignore_errors=True)
        os.makedirs(folder + ".new")
        fetch(folder + ".new")
        os.rename(folder + ".new", folder)
    return folder


def python(name):
    listed = f"requirements-{name}.txt"

    def install():
        folder = fetched(name, listed, lambda new: subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--root-user-action=ignore",
             "--no-warn-conflicts", "--target", new, "-r", path_of(listed)], check=True))
        return ["env", "PYTHONPATH=" + folder, "PYTHONDONTWRITEBYTECODE=1", sys.executable,
                "-W", "ignore", path_of(f"in_{name}.py")]
    return install


def mongoose():
    def fetch(new):
        shutil.copy(path_of("package.json"), new)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", new],
                       check=True)
    folder = fetched("mongoose", "package.json", fetch)
    return ["env", f"NODE_PATH={folder}/node_modules", "node", path_of("in_mongoose.js")]


def lua_mongo(flavour):
    def install():
        source = os.environ.get("LUA_MONGO_SRC")
        if not source:
            raise OSError("no package has it: LUA_MONGO_SRC names a folder with its sources")
        folder = os.path.join(support.BUILD, "peers", "lua-mongo-" + flavour)
        os.makedirs(folder, exist_ok=True)
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libmongoc-1.0", flavour],
                               check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        sources = [os.path.join(source, "src", name)
                   for name in sorted(os.listdir(os.path.join(source, "src")))
                   if name.endswith(".c")]
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-w", "-o", folder + "/mongo.so",
                        *sources, *flags], check=True)
        return ["env", f"LUA_CPATH={folder}/?.so;;", flavour, path_of("in_lua_mongo.lua")]
    return install


PEERS = {
    "lua-mongo-lua5.4": Peer("lua-mongo 1.2.3, Lua 5.4 (no models)", lua_mongo("lua5.4"),
                             ("references",)),
    "lua-mongo-luajit": Peer("lua-mongo 1.2.3, LuaJIT (no models)", lua_mongo("luajit"),
                             ("references",)),
    "mongoose": Peer("Mongoose 9.12.1", mongoose),
    "pymodm": Peer("PyMODM 0.4.3", python("pymodm")),
    "mongoengine": Peer("MongoEngine 0.29.3", python("mongoengine")),
    "beanie": Peer("Beanie 2.2.0", python("beanie"), ("references",)),
}
