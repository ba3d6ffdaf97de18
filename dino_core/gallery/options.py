"""How a gallery is made: the options that its process begins with and its folder remembers."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Options:
    """How a gallery is made."""

    model: str | None = None  # a name from the catalogue; None: the one on this disk
    weights: str | None = None  # a file instead
    size: int = 224  # px, the middle square of every picture
    seed: int = 0  # of UMAP, t-SNE, k-means and the folds of the probes
    device: str = "cpu"
    threads: int = 0  # 0: as many as the processor has
    patch_megabytes: int = 1024  # patch features kept on disk, for the search of similar patches
    include: tuple[str, ...] = ()  # what is taken, left out and how, see `datasets.find_pictures`
    exclude: tuple[str, ...] = ()
    stretch: bool = False

    def __post_init__(self) -> None:
        for name in ("include", "exclude"):  # lists, when they come from a file
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.weights is not None:  # whoever goes on may stand in another folder
            absolute = str(Path(self.weights).expanduser().absolute())
            object.__setattr__(self, "weights", absolute)

    def arguments(self) -> list[str]:
        """As options of the command; what is as ever is left out."""
        words: list[str] = []
        for name, value in asdict(self).items():
            if value != getattr(Options, name):
                values = value if isinstance(value, tuple) else (() if value is True else (value,))
                words += [f"--{name.replace('_', '-')}", *map(str, values)]
        return words

    def choice(self) -> dict[str, Any]:
        """Which pictures of the source, and how they are decoded: for `sources.pictures_of`."""
        return {"include": self.include, "exclude": self.exclude, "stretch": self.stretch}
