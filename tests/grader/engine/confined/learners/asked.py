"""A learner's process for tests: it runs the Python text it is sent and answers with the value of `result`."""

import json


def serve(sock, limits):
    stream = sock.makefile("rw")
    for line in stream:
        names = {"sock": sock, "limits": limits}
        try:
            exec(json.loads(line), names)
            answer = {"value": repr(names.get("result"))}
        except BaseException as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        stream.write(json.dumps(answer) + "\n")
        stream.flush()
