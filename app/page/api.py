"""Named endpoints: each view for programs, in one call with a picture of their own.

    from gradio_client import Client, handle_file
    answer = Client(URL).predict(handle_file("cat.jpg"), layer=8, api_name="/attention")

Nothing is kept: each call decodes its picture, runs the model once and forgets both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from app.routes.losses import Pairs
from app.state.models import Engine


def add_endpoints(engine: Engine, pairs: Pairs) -> None:
    """Adds /crops, /masks, /attention, /features and /losses to the page that is being built."""
    endpoints = Endpoints(engine, pairs)
    gr.api(endpoints.crops, api_name="crops", concurrency_limit=2)
    gr.api(endpoints.masks, api_name="masks", concurrency_limit=2)
    gr.api(endpoints.attention, api_name="attention", concurrency_id="model")
    gr.api(endpoints.features, api_name="features", concurrency_id="model")
    gr.api(endpoints.losses, api_name="losses", concurrency_id="model")


@dataclass(frozen=True)
class Endpoints:
    """What each endpoint is asked and answers; its docstring is what a program reads about it."""

    engine: Engine
    pairs: Pairs

    def crops(self, picture: dict, seed: int = 0, blur: str = "as run") -> dict:
        """The crops that a seed gives: kind, box [x0, y0, x1, y1] in source pixels, flip and
        operations of each; pictures as nested lists of RGB rows are left out."""
        return self._plain(
            lambda: self.engine.scene("crops").crops_scene(self._open(picture), seed, blur)
        )

    def masks(self, picture: dict, seed: int = 0, ratio: float = 0.3) -> dict:
        """One block mask on the first global crop: its blocks in the order drawn, and the mask."""
        return self._plain(
            lambda: self.engine.scene("masks").masks_scene(self._open(picture), seed, ratio),
            *("mask", "random_mask", "histogram"),
        )

    def attention(
        self,
        picture: dict,
        layer: int = 11,
        row: int = -1,
        column: int = -1,
        model: str = "",
        size: int = 224,
    ) -> dict:
        """What a patch attends to in a layer, [heads, h, w]; row -1 is the class token. Without a
        model it is that with which the page begins."""

        def make() -> Any:
            seen = self._look(picture, model, size)
            return self.engine.scene("attention").query_scene(seen, layer, row, column)

        return self._plain(make, "rows")

    def features(
        self,
        picture: dict,
        layer: int = 11,
        preset: str = "paper",
        flip: bool = False,
        model: str = "",
        size: int = 224,
    ) -> dict:
        """PCA of a layer's patch features: colours [h, w, 3], foreground, scores, variance. Without
        a model it is that with which the page begins."""

        def make() -> Any:
            seen = self._look(picture, model, size)
            return self.engine.scene("features").features_scene(seen, layer, preset, flip)

        return self._plain(make, *("colours", "foreground", "scores", "ratio"))

    def losses(
        self,
        picture: dict,
        seed: int = 0,
        pair: str = "preview",
        targets: str = "centering",
        temperature: float = 0,
    ) -> dict:
        """What student and teacher say of a picture in the company of the samples: the terms of the
        loss, dino [student crop, teacher view] and ibot [masked patches] in nats. A temperature of
        0 is that which the pair was trained with."""

        def make() -> Any:
            scene, found = self.engine.scene("losses"), self.pairs.find(pair)
            own = self.pairs.ask(found, self._open(picture), seed)
            chosen = scene.Chosen(targets, temperature or None)
            return scene.losses_scene(found.pair, found.company, own, seed, chosen=chosen)

        return self._plain(make, *("dino", "ibot", "mask"))

    def _open(self, picture: dict) -> Any:
        """The uploaded file, decoded. Only files that came through the upload are opened."""
        path = Path(str(dict(picture).get("path", ""))).resolve()
        if not path.is_relative_to(Path(get_upload_folder()).resolve()):
            raise ValueError("Upload the picture first.")
        return self.engine.scene("picture").read_picture(path)

    def _look(self, picture: dict, model: str, size: int) -> Any:
        return self.engine.look(self._open(picture), model or self.engine.first, size).seen

    def _plain(self, make: Callable[[], Any], *arrays: str) -> dict:
        """A scene's facts and the named arrays; what is wrong is said in words."""
        try:
            return self.engine.scene("packing").plain(make(), arrays)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error
