"""Writes the reference of the library as HTML pages that open offline.

python -m docs.reference FOLDER
"""

import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pdoc
import pdoc.render

import dino_core


def main(folder: Path) -> None:
    found = walk_packages(dino_core.__path__, "dino_core.")
    names = [module.name for module in found if not module.name.endswith("__main__")]
    for module in (dino_core, *map(import_module, names)):
        for name in getattr(module, "__all__", ()):  # some are imported when they are first used
            setattr(module, name, getattr(module, name))
    # A package that names what is public hides its files from pdoc.
    hidden = [name for name in names if hasattr(import_module(name.rpartition(".")[0]), "__all__")]
    pdoc.render.configure(docformat="markdown")
    pdoc.pdoc("dino_core", *hidden, output_directory=folder)
    print(f"Open {folder / 'index.html'}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
