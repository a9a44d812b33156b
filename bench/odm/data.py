# The three documents of the ODM benchmark, as files for the programs in C and Lua.
import base64
import json
import os
import random
import tarfile

import support

FOLDER = os.environ.get("ODM_FOLDER") or os.path.join(support.BUILD, "odm")
# Where the benchmark's own data may be: the folder odm-data beside its text.
ARCHIVES = os.environ.get("ODM_DATA") or os.path.join(
    os.path.dirname(support.ROOT), "shared", "spec", "odm-benchmarking", "odm-data")
MEMBERS = {
    "small_doc": ("flat_models.tgz", "flat-models/small_doc.json"),
    "large_doc": ("flat_models.tgz", "flat-models/large_doc.json"),
    "large_doc_nested": ("nested_models.tgz", "nested-models/large_doc_nested.json"),
}


def published(name):
    """The text of a document as MongoDB publishes it, or None where that is not at hand."""
    archive, member = MEMBERS[name]
    try:
        with tarfile.open(os.path.join(ARCHIVES, archive)) as tar:
            return tar.extractfile(member).read().decode()
    except FileNotFoundError:
        return None


def words(draw, count, length):
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789@#$*&"
    return ["".join(draw.choices(alphabet, k=length)) for _ in range(count)]


def numbered(values, first=1):
    return {f"field{i}": value for i, value in enumerate(values, first)}


def generated(name):
    """A document of the same shape and, within a few bytes, of the same size."""
    draw = random.Random(name)
    if name == "small_doc":
        fields = words(draw, 7, 8) + draw.choices(range(10**6, 10**8), k=6)
        return json.dumps(numbered(fields), separators=(",", ":"))
    if name == "large_doc":
        document = numbered(words(draw, 125, 31) + draw.choices(range(100, 1000), k=125))
        image = base64.b64encode(draw.randbytes(2413222)).decode()
        document["image_field"] = {"$binary": {"base64": image, "subType": "00"}}
        return json.dumps(document, indent=2)

    def texts():
        return numbered(words(draw, 15, 31))

    document = {f"embedded_str_doc_{i}": texts() for i in range(1, 6)}
    document["embedded_str_doc_array"] = [texts(), texts()]
    for i in range(8, 15):
        document[f"embedded_int_doc_{i}"] = numbered(draw.choices(range(100, 1000), k=15))
    return json.dumps(document, indent=2) + "\n"


def as_lua(value):
    """A value of JSON as Lua's source; a binary becomes a string."""
    if isinstance(value, dict):
        if "$binary" in value:
            data = base64.b64decode(value["$binary"]["base64"])
            return '"' + "".join(f"\\{byte:03}" for byte in data) + '"'
        return "{" + ",".join(f"{key}={as_lua(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ",".join(map(as_lua, value)) + "}"
    return json.dumps(value)


def prepare():
    """Writes NAME.json and NAME.lua; gives the sizes of the JSON, and whose data they are."""
    os.makedirs(FOLDER, exist_ok=True)
    sizes, ours = {}, False
    for name in MEMBERS:
        text = published(name)
        ours = ours or text is None
        text = text or generated(name)
        with open(os.path.join(FOLDER, name + ".json"), "w", encoding="utf-8") as out:
            out.write(text)
        with open(os.path.join(FOLDER, name + ".lua"), "w", encoding="utf-8") as out:
            out.write("return " + as_lua(json.loads(text)) + "\n")
        sizes[name] = len(text.encode())
    return sizes, "generated" if ours else "published"
