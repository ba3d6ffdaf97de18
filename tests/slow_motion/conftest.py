"""Networks this small are slower when threads share them."""

from tiny_galleries import one_thread  # noqa: F401  (a fixture)
