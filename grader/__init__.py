"""The autograder and the tools that build and prove the course."""
