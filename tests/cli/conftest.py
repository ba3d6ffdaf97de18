"""Every test has a home of its own for what is kept, and a tiny model."""

from tiny_commands import drawn, folder, place  # noqa: F401  (fixtures)
from tiny_galleries import backbone, home, one_thread, weights  # noqa: F401  (fixtures)
