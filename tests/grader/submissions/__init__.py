"""Dishonest, broken, unlucky and odd submissions, each with the score that it deserves."""
