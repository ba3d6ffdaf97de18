"""Which models there are, for whom, and what they are called."""

from pathlib import Path

from app.state.checkpoints import GONE, Checkpoint, Checkpoints, is_checkpoint
from dino_core.scenes.models import first_model, model_choices, weights_file


class ModelList:
    """The list of models; nothing is loaded here.

    `default` is the model with which the page begins. `weights` is a file of the user's own, known
    under the file's name; `architecture` is what the user said it is, None to read it off the file.
    `checkpoints`: those of visitors; None where there are none.
    """

    def __init__(
        self, model: str | None, weights: Path | None, checkpoints: Checkpoints | None
    ) -> None:
        known = [choice.name for choice in model_choices()]
        if model and model not in known:
            raise ValueError(f"There is no model {model!r}: it is one of {', '.join(known)}.")
        if weights and weights.is_dir():
            raise ValueError(f"{weights} is a folder: name the file of the weights in it.")
        if weights and not weights.is_file():
            raise ValueError(f"There is no file {weights}.")
        self.weights = weights
        self.architecture = model
        self.default = weights.stem if weights else model or first_model()
        self.checkpoints = checkpoints

    def choices(self, owner: str = "") -> list[tuple[str, str]]:
        """(label, name) of every model, a visitor's own checkpoints first."""
        own = [(self.default, self.default)] if self.weights else []
        brought = self.checkpoints.everything(owner) if self.checkpoints else []
        mine = [(f"{one['title']} (yours)", one["name"]) for one in brought]
        return mine + own + [(choice.label, choice.name) for choice in model_choices()]

    def available(self, owner: str = "") -> list[tuple[str, str]]:
        """Those of them that need no download."""
        here = {choice.name for choice in model_choices() if choice.on_disk}
        here |= {self.default} if self.weights else set()
        return [(t, n) for t, n in self.choices(owner) if n in here or is_checkpoint(n)]

    def checkpoint(self, owner: str, name: str) -> tuple[Path, Checkpoint]:
        """A visitor's own. ValueError in a sentence for any other."""
        if self.checkpoints is None:
            raise ValueError(GONE)
        return self.checkpoints.find(owner, name)

    def title_of(self, name: str, owner: str) -> str:
        """What a person is shown as a model's name."""
        return self.checkpoint(owner, name)[1]["title"] if is_checkpoint(name) else name

    def file_in_python(self, name: str, owner: str) -> str:
        """The file that lines of Python open; "" for a model that they open by its name."""
        if is_checkpoint(name):
            return self.checkpoint(owner, name)[1]["file"]
        return self.weights.name if self.weights and self.is_own_file(name) else ""

    def said_in_python(self, name: str, owner: str) -> dict[str, str]:
        """What those lines have to say of the file: heads, grid, branch, as commands take them."""
        return self.checkpoint(owner, name)[1].get("said", {}) if is_checkpoint(name) else {}

    def options_of(self, name: str, owner: str) -> tuple[str | None, str | None]:
        """(model, file) as commands are told it. ValueError unless it is on this machine."""
        if is_checkpoint(name):
            return None, str(self.checkpoint(owner, name)[0].resolve())
        if name not in [known for _, known in self.available()]:
            raise ValueError("Choose a model that is on this machine.")
        if self.weights and self.is_own_file(name):
            return self.architecture, str(self.weights.resolve())
        return name, None

    def is_own_file(self, name: str) -> bool:
        """Whether a name stands for the user's own file."""
        return self.weights is not None and name == self.default

    def default_weights(self) -> Path | None:
        """The file of the model with which the page begins; None when it is not on this disk."""
        return self.weights_of(self.default)

    def weights_of(self, name: str) -> Path | None:
        """The file of a model; None when it is not on this disk."""
        return self.weights if self.is_own_file(name) else weights_file(name)
