"""The reference pictures of `whatif`, as its options name them."""

import argparse
from typing import TYPE_CHECKING

from dino_core.cli.features import progress
from dino_core.cli.files import fit

if TYPE_CHECKING:
    from dino_core.analysis.inspection import Inspection
    from dino_core.weights import Backbone
    from dino_core.whatif import Change, Sources


class References:
    """The reference pictures, looked through only where a value is taken from them.

    They are prepared as the pictures are, which have one size.
    """

    def __init__(
        self, args: argparse.Namespace, backbone: "Backbone", *, measured: bool, needed: bool
    ) -> None:
        from dino_core.datasets import sample_pictures
        from dino_core.embedding.preparation import Preparation
        from dino_core.gallery.sources import pictures_of
        from dino_core.whatif import Reference, statistics_of

        width, height = fit(args.images[0], args, backbone).picture.size
        pictures = sample_pictures()
        if needed:
            pictures = pictures_of(args.reference, stretch=args.stretch)
        self.reference = Reference(pictures, Preparation((height, width), args.fit))
        self.statistics = None
        self._backbone, self._seed = backbone, args.seed
        if measured:
            with progress(len(pictures), "reference") as advance:
                self.statistics = statistics_of(backbone, self.reference, advance)

    def sources(self, seen: "Inspection", changes: "list[Change]") -> "Sources":
        """Where the values of one picture's edits come from."""
        from dino_core.whatif import Sources, other_picture

        other = None
        if any(change.needs_other for change in changes):
            other = other_picture(self._backbone.vit, self.reference, seen, self._seed)
        return Sources(self.statistics, other, self._seed)
