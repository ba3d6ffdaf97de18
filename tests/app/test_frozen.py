"""What is settled once cannot be changed by whoever is handed it: dataclasses of the page are
frozen, but for the few that are a state."""

import dataclasses
import importlib
import pkgutil

import app

STATES = {"Brought", "Entry", "KeptRow", "LoadedModel", "Screening"}


def test_dataclasses_are_frozen_but_for_states() -> None:
    loose = set()
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if module.name.endswith("__main__"):
            continue
        for name, kind in vars(importlib.import_module(module.name)).items():
            if isinstance(kind, type) and kind.__module__ == module.name:
                parameters = getattr(kind, "__dataclass_params__", None)
                if dataclasses.is_dataclass(kind) and not parameters.frozen:
                    loose.add(name)
    assert loose == STATES
