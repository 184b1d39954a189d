"""Files that are no notebooks, or only just."""

import json

from tests.grader.submissions.case import ALL, FIRST, Case

GROUP = "broken files"


def broken(name, why, make, **more):
    return Case(name, GROUP, why, loses=ALL, edit=make, outcome="Unreadable", **more)


def mended(name, why, make, **more):
    return Case(name, GROUP, why, edit=make, **more)


def _text(notebook):
    first = next(c["id"] for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("solution"))
    return json.dumps(notebook, ensure_ascii=False).replace("@NAME@", first)


def halves_of_characters(notebook):
    notebook["cells"].append({"cell_type": "markdown", "metadata": {}, "id": "half", "source": "\ud83d half \udc00"})


def wild_metadata(notebook):
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"]["tags"] = {"not": "a list"}
        cell["metadata"]["more"] = {"deep": [[[[[number]]]]] * 3}
        if cell["cell_type"] == "code":
            cell["outputs"] = "not a list"
            cell["execution_count"] = -(10**30)
    notebook["metadata"] = []


CASES = [
    broken("empty-file", "there is nothing in it", lambda notebook: b""),
    broken("cut-off", "half a file is no notebook", lambda notebook: _text(notebook).encode()[:-1500]),
    broken("no-json", "a web page is no notebook", lambda notebook: b"<!DOCTYPE html><p>Log in to download"),
    broken("zip-instead", "a zip file under the notebook's name", lambda notebook: b"PK\x03\x04" + bytes(200)),
    broken("random-bytes", "noise", lambda notebook: bytes(range(256)) * 40),
    broken("a-list", "JSON, but no notebook", lambda notebook: b"[1, 2, 3]"),
    broken("cells-is-text", "JSON, but no notebook", lambda notebook: b'{"cells": "all of them", "nbformat": 4}'),
    broken("deep-json", "a hundred thousand brackets are no notebook", lambda n: b'{"cells": ' + b"[" * 100_000),
    broken("huge-number", "a number of a million digits", lambda n: b'{"cells": [], "x": ' + b"9" * 1_000_000 + b"}"),
    broken(
        "another-assignment",
        "it holds nothing of this assignment",
        lambda notebook: json.dumps(
            {"cells": [{"cell_type": "code", "metadata": {}, "source": "print(1)"}], "nbformat": 4}
        ).encode(),
    ),
    mended("byte-order-mark", "the answers are right", lambda notebook: b"\xef\xbb\xbf" + _text(notebook).encode()),
    mended("utf-16", "the answers are right", lambda notebook: _text(notebook).encode("utf-16")),
    mended("latin-1", "one character that is not UTF-8", lambda n: _text(n).replace("Why", "Wh\xfd").encode("latin-1")),
    mended("windows-lines", "the answers are right", lambda n: _text(n).replace("\\n", "\\r\\n").encode()),
    mended("halves-of-characters", "the answers are right", halves_of_characters),
    mended("wild-metadata", "metadata of the wrong kind, right answers", wild_metadata),
    mended(
        "trailing-cells",
        "cells that are no cells are left out",
        lambda notebook: notebook["cells"].extend([None, 7, {"cell_type": "code"}, {"source": 3, "cell_type": "code"}]),
    ),
    Case(
        "syntax-error",
        GROUP,
        "a cell that is no Python takes no other with it",
        loses=(FIRST,),
        answers={FIRST: "def @NAME@(x:\n    return (\n"},
        outcome="Missing",
    ),
    Case(
        "tabs-and-spaces",
        GROUP,
        "a cell that is no Python takes no other with it",
        loses=(FIRST,),
        answers={FIRST: "def @NAME@(x):\n\tif x:\n        return 1\n\treturn 2\n"},
    ),
    Case(
        "deep-expression",
        GROUP,
        "an expression that breaks the compiler breaks its own process only",
        loses=(FIRST,),
        answers={FIRST: "@NAME@ = " + "(" * 5_000 + "1" + ")" * 5_000 + "\n"},
    ),
    Case(
        "compiler-killer",
        GROUP,
        "code that brings the interpreter down brings down nobody else's",
        loses=(FIRST,),
        answers={FIRST: "@NAME@ = " + "-" * 400_000 + "1\n"},
    ),
    Case(
        "null-bytes",
        GROUP,
        "a cell with a null byte is no Python",
        loses=(FIRST,),
        answers={FIRST: "def @NAME@(*args):\n    return '\x00'\n"},
    ),
]
