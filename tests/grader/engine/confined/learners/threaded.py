"""A learner's side that leaves a second thread in the zygote."""

import threading

threading.Thread(target=threading.Event().wait, daemon=True).start()


def serve(sock, limits):
    raise AssertionError("a zygote with two threads was forked")
