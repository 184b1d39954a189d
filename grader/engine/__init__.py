"""The grading engine: official tests in a trusted process, learners' code in untrusted ones."""
