"""A learner's process that is none: it runs the cells in this one, cheap and open to inspection."""

import traceback

from grader.engine.proxy import BadReply, CallTimedOut, CannotCarry, LearnerDied, StrayReply
from grader.engine.zygote import Death


class FakeSession:
    """Runs the learner's cells in this process; what ends a process is raised by `end`, a name the cells have."""

    def __init__(self):
        self.failure = None
        self.log = []
        self.speaks_again = False
        self.namespace = {"__name__": "__main__", "end": self.end, "speak_again": self.speak_again}

    def speak_again(self):
        """Let the next question meet a second reply to this one."""
        self.speaks_again = True

    def end(self, how):
        ends = {
            "died": lambda: LearnerDied(Death("exited", "exited with status 3")),
            "memory": lambda: LearnerDied(Death("out_of_memory", "over 2 GiB")),
            "time": lambda: CallTimedOut("within 2 s"),
            "reply": lambda: BadReply("a frame of the wrong kind"),
            "carry": lambda: CannotCarry("an object of one process cannot go to another"),
        }
        self.failure = ends[how]()
        raise self.failure

    def run_cell(self, source, name):
        self.log.append((name, source))
        try:
            exec(compile(source, f"<{name}>", "exec"), self.namespace)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def names(self):
        return set(self.namespace)

    def get(self, name):
        value = self.namespace[name]
        return self._proxy(name, value) if callable(value) else value

    def _proxy(self, name, function):
        def call(*args, **kwargs):
            if self.speaks_again and self.failure is None:
                self.failure = StrayReply("a reply answers an earlier request")
            if self.failure is not None:
                raise self.failure
            try:
                return function(*args, **kwargs)
            except Exception as error:
                error.learner_traceback = "".join(traceback.format_exception(error))
                raise

        call.__name__ = name
        call.__doc__ = function.__doc__
        return call

    def close(self):
        self.namespace.clear()
