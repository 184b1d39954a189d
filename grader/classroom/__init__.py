"""The classroom: hand out, collect, grade late work, give back, understand, export."""
