"""Networks written out in full, each one a readable screen."""
