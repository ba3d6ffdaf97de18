"""Named endpoints: each view for programs, in one call with a picture of their own.

    from gradio_client import Client, handle_file
    answer = Client(URL).predict(handle_file("cat.jpg"), layer=8, api_name="/attention")

Nothing is kept: each call decodes its picture, runs the model once and forgets both.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from app.engine import Engine
from app.losses import Pairs


def add_endpoints(engine: Engine, pairs: Pairs) -> None:
    """Adds /crops, /masks, /attention, /features and /losses to the page that is being built."""

    def open_file(picture: dict) -> Any:
        """The uploaded file, decoded. Only files that came through the upload are opened."""
        path = Path(str(dict(picture).get("path", ""))).resolve()
        if not path.is_relative_to(Path(get_upload_folder()).resolve()):
            raise ValueError("Upload the picture first.")
        return engine.scene("picture").read_picture(path)

    def plainly(work: Callable[[], Any]) -> Any:
        try:
            return work()
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def crops(picture: dict, seed: int = 0, blur: str = "as run") -> dict:
        """The crops that a seed gives: kind, box [x0, y0, x1, y1] in source pixels, flip and
        operations of each; pictures as nested lists of RGB rows are left out."""
        return plainly(
            lambda: engine.scene("answers").plain(
                engine.scene("crops").crops_scene(open_file(picture), seed, blur)
            )
        )

    def masks(picture: dict, seed: int = 0, ratio: float = 0.3) -> dict:
        """One block mask on the first global crop: its blocks in the order drawn, and the mask."""
        return plainly(
            lambda: engine.scene("answers").plain(
                engine.scene("masks").masks_scene(open_file(picture), seed, ratio),
                ("mask", "random_mask", "histogram"),
            )
        )

    def attention(
        picture: dict,
        layer: int = 11,
        row: int = -1,
        column: int = -1,
        model: str = engine.first,
        size: int = 224,
    ) -> dict:
        """What a patch attends to in a layer, [heads, h, w]; row -1 is the class token."""

        def work() -> dict:
            seen = engine.look(open_file(picture), model, size).seen
            scene = engine.scene("attention").query_scene(seen, layer, row, column)
            return engine.scene("answers").plain(scene, ("rows",))

        return plainly(work)

    def features(
        picture: dict,
        layer: int = 11,
        preset: str = "paper",
        flip: bool = False,
        model: str = engine.first,
        size: int = 224,
    ) -> dict:
        """PCA of a layer's patch features: colours [h, w, 3], foreground, scores, variance."""

        def work() -> dict:
            seen = engine.look(open_file(picture), model, size).seen
            scene = engine.scene("features").features_scene(seen, layer, preset, flip)
            return engine.scene("answers").plain(
                scene, ("colours", "foreground", "scores", "ratio")
            )

        return plainly(work)

    def losses(
        picture: dict,
        seed: int = 0,
        pair: str = "preview",
        targets: str = "centering",
        temperature: float = 0,
    ) -> dict:
        """What student and teacher say of a picture in the company of the samples: the terms of the
        loss, dino [student crop, teacher view] and ibot [masked patches] in nats. A temperature of
        0 is that which the pair was trained with."""

        def work() -> dict:
            scene = engine.scene("losses")
            source, (opened, company) = open_file(picture), pairs.find(pair)
            own = engine.alone(lambda: engine.scene("pairs").ask_pair(opened, source, seed))
            chosen = scene.Chosen(targets, temperature or None)
            found = scene.losses_scene(opened, company, own, seed, chosen=chosen)
            return engine.scene("answers").plain(found, ("dino", "ibot", "mask"))

        return plainly(work)

    gr.api(crops, api_name="crops", concurrency_limit=2)
    gr.api(masks, api_name="masks", concurrency_limit=2)
    gr.api(attention, api_name="attention", concurrency_id="model")
    gr.api(features, api_name="features", concurrency_id="model")
    gr.api(losses, api_name="losses", concurrency_id="model")
