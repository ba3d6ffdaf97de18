"""Named endpoints: each view for programs, in one call with a picture of their own.

    from gradio_client import Client, handle_file
    response = Client(URL).predict(handle_file("cat.jpg"), layer=8, api_name="/attention")

Nothing is kept: each call decodes its picture, runs the model once and forgets both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import gradio as gr

from app.page.calls import asking, backbone_of, inspected, opened, plain_scene
from app.page.file_endpoints import FileEndpoints
from app.page.model_endpoints import ModelEndpoints
from app.services import Services
from app.visitors import owner_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from dino_core.analysis.inspection import Inspection

PICTURE = (
    'A picture is {"path": PATH}, where PATH is what POST gradio_api/upload has answered for a '
    'file, or {"sample": NAME}, such as cat.jpg. Everything is counted from 0.'
)
WHATIF_BOTH = ("attention", "colours", "cls")  # arrays before and after a change


def add_endpoints(services: Services) -> None:
    """Adds the endpoints, one for each view, to the page that is being built."""
    endpoints = Endpoints(services)
    views = PictureEndpoints(services)
    models, files = ModelEndpoints(services), FileEndpoints(services)
    for drawn in (endpoints.crops, endpoints.masks):  # no model is asked
        add_endpoint(drawn, concurrency_limit=2)
    for view in (
        *(models.compare, models.grid, models.tray, models.tokens),
        *(views.similar, views.match, views.clusters, views.rollout, views.norms),
        *(views.depth, views.whatif, files.figure, files.film, files.webpage, files.video),
        *(endpoints.attention, endpoints.features, endpoints.losses, endpoints.step),
        endpoints.predict,
    ):
        add_endpoint(view, concurrency_id="model")


def add_endpoint(view: Callable[..., dict], **options: Any) -> None:
    """One endpoint by the name of its function, described by its docstring."""
    words = " ".join(f"{view.__doc__} {PICTURE}".split())
    gr.api(view, api_name=view.__name__, api_description=words, **options)


def hide_endpoints(page: gr.Blocks) -> None:
    """Leaves the endpoints out of the page's config, as a browser gets it: it never calls them.

    They are two thirds of the components. Programs read of them in /config and /info, as before.
    """
    endpoints = {block["id"] for block in page.config["components"] if block["type"] == "api"}
    own = cast(dict[str, Any], page.config["page"][""])
    own["components"] = [block for block in own["components"] if block not in endpoints]
    own["layout"]["children"] = [
        child for child in own["layout"]["children"] if child["id"] not in endpoints
    ]
    asked = {
        event["id"]
        for event in page.config["dependencies"]
        if not endpoints.isdisjoint(event["inputs"] + event["outputs"])
    }
    own["dependencies"] = [event for event in own["dependencies"] if event not in asked]


@dataclass(frozen=True)
class Endpoints:
    """What each endpoint is asked and answers; its docstring is what a program reads about it."""

    services: Services

    def crops(
        self, picture: dict, request: gr.Request, seed: int = 0, blur: str = "as run"
    ) -> dict:
        """The crops that a seed gives: kind, box [x0, y0, x1, y1] in source pixels, flip and
        operations of each; pictures as nested lists of RGB rows are left out."""

        def make() -> Any:
            from dino_core.scenes.crops import crops_scene

            return crops_scene(self._open(picture, request), seed, blur)

        return plain_scene(make)

    def masks(self, picture: dict, request: gr.Request, seed: int = 0, ratio: float = 0.3) -> dict:
        """One block mask on the first global crop: its blocks in the order drawn, and the mask."""

        def make() -> Any:
            from dino_core.scenes.masks import masks_scene

            return masks_scene(self._open(picture, request), seed, ratio)

        return plain_scene(make, "mask", "random_mask", "histogram")

    def attention(
        self,
        picture: dict,
        request: gr.Request,
        layer: int = 11,
        row: int = -1,
        column: int = -1,
        model: str = "",
        size: int = 224,
    ) -> dict:
        """What a patch attends to in a layer, [heads, h, w]; row -1 is the class token. Without a
        model it is that with which the page begins."""

        def make() -> Any:
            from dino_core.scenes.attention import query_scene

            return query_scene(self._look(picture, request, model, size), layer, row, column)

        return plain_scene(make, "rows")

    def features(
        self,
        picture: dict,
        request: gr.Request,
        layer: int = 11,
        preset: str = "paper",
        flip: bool = False,
        model: str = "",
        size: int = 224,
    ) -> dict:
        """PCA of a layer's patch features: colours [h, w, 3], foreground, scores, variance. Without
        a model it is that with which the page begins."""

        def make() -> Any:
            from dino_core.scenes.features import features_scene

            return features_scene(self._look(picture, request, model, size), layer, preset, flip)

        return plain_scene(make, "colours", "foreground", "scores", "ratio")

    def losses(
        self,
        picture: dict,
        request: gr.Request,
        seed: int = 0,
        pair: str = "preview",
        targets: str = "centering",
        temperature: float = 0,
    ) -> dict:
        """What student and teacher say of a picture beside the samples: the terms of the
        loss, dino [student crop, teacher view] and ibot [masked patches] in nats. A temperature of
        0 is that which the pair was trained with."""

        def make() -> Any:
            from dino_core.scenes.losses import Chosen, losses_scene

            loaded = self.services.pairs.find(pair, asking(self.services, request))
            own = self.services.pairs.outputs(loaded, self._open(picture, request), seed)
            chosen = Chosen(targets, temperature or None)
            return losses_scene(loaded.pair, loaded.references, own, seed, chosen=chosen)

        return plain_scene(make, "dino", "ibot", "mask")

    def step(
        self,
        picture: dict,
        request: gr.Request,
        seed: int = 0,
        pair: str = "cifar",
        targets: str = "centering",
        learning_rate: float = 0,
        koleo: float = 0.1,
    ) -> dict:
        """One real training step on a picture and the samples: what each line left behind, the
        losses before and after it, and by layer the gradients, whose they are, and how far student
        and teacher moved. A learning rate of 0 is that of the pair's schedule."""

        def make() -> Any:
            from dino_core.scenes.step import Choices, start_row

            loaded = self.services.pairs.find(pair, asking(self.services, request))
            source = self._open(picture, request)
            rate = learning_rate or None
            choices = Choices(seed, targets, learning_rate=rate, koleo_weight=koleo)
            return self.services.models.exclusive(start_row(loaded.pair, source, choices).record)

        arrays = ("gradient_norms", "shares", "cosines", "student_moved", "teacher_moved")
        return plain_scene(make, *arrays)

    def predict(
        self, picture: dict, request: gr.Request, run: str = "", top: int = 3, model: str = ""
    ) -> dict:
        """What a classifier says of a picture: its likeliest classes, and what bias, class token
        and each patch [class, h, w] add to the logit. Of a run: a finished fine-tuning of the
        visitor's own, or one that the command line began; or of a model that has a classifier
        beside its backbone, such as a visitor's own checkpoint."""

        def make() -> Any:
            services = self.services
            if model or not run:
                owner = asking(services, request)
                source, name = self._open(picture, request), model or services.models.default
                return services.classifiers.predict_by_model(name, owner, source, top)
            folder = services.runs.find(run)
            if not services.runs.details(run, asking(services, request)).get("pictures_shown"):
                raise ValueError("This run is another visitor's: only that one can ask it.")
            return services.classifiers.predict(folder, self._open(picture, request), top)

        return plain_scene(make, "patches")

    def _open(self, picture: dict, request: gr.Request) -> "Image":
        return opened(self.services, picture, request)

    def _look(self, picture: dict, request: gr.Request, model: str, size: int) -> "Inspection":
        return inspected(self.services, picture, request, model, size=size)


@dataclass(frozen=True)
class PictureEndpoints:
    """Views of one picture, or of two, each in one call."""

    services: Services

    def similar(
        self,
        picture: dict,
        request: gr.Request,
        row: int,
        column: int,
        other: dict | None = None,
        layer: int = 11,
        model: str = "",
        size: int = 224,
    ) -> dict:
        """Cosine similarity [h, w] of one patch of the picture to all its patches, or to those of
        another picture."""

        def make() -> Any:
            from dino_core.scenes.similarity import similarity_scene

            seen = self._look(picture, request, model, size)
            shown = self._look(other, request, model, size) if other else None
            return similarity_scene(seen, layer, row, column, shown)

        return plain_scene(make, "similarity")

    def match(
        self,
        picture: dict,
        other: dict,
        request: gr.Request,
        layer: int = 11,
        foreground: bool = True,
        model: str = "",
        size: int = 224,
    ) -> dict:
        """Which patches of two pictures are each other's nearest: the best match of every patch
        with its cosine, both ways, and the patches of the first picture to draw lines from."""

        def make() -> Any:
            from dino_core.scenes.matching import matches_scene

            first = self._look(picture, request, model, size)
            second = self._look(other, request, model, size)
            return matches_scene(first, second, layer, foreground)

        names = ("forward", "forward_similarity", "backward", "backward_similarity")
        return plain_scene(make, *names, "mutual", "lines")

    def clusters(
        self,
        picture: dict,
        request: gr.Request,
        k: int = 6,
        layer: int = 11,
        seed: int = 0,
        model: str = "",
        size: int = 224,
    ) -> dict:
        """k-means of a layer's patch features: labels [h, w], sizes, share explained."""

        def make() -> Any:
            from dino_core.scenes.features import clusters_scene

            return clusters_scene(self._look(picture, request, model, size), layer, k, seed)

        return plain_scene(make, "labels")

    def rollout(self, picture: dict, request: gr.Request, model: str = "", size: int = 224) -> dict:
        """Attention of the class token followed through all layers, [h, w]."""

        def make() -> Any:
            from dino_core.scenes.attention import rollout_scene

            return rollout_scene(self._look(picture, request, model, size))

        return plain_scene(make, "rollout")

    def norms(self, picture: dict, request: gr.Request, model: str = "", size: int = 224) -> dict:
        """Lengths of all tokens before the first block and after each, [layers + 1, tokens], what
        attention and the MLP add, and above which length a patch stands out."""

        def make() -> Any:
            from dino_core.scenes.tokens import blocks_scene

            seen = self._look(picture, request, model, size)
            return blocks_scene(backbone_of(self.services, request, model).vit, seen)

        return plain_scene(make, "norms", "updates", "threshold")

    def depth(
        self,
        picture: dict,
        request: gr.Request,
        preset: str = "paper",
        flip: bool = False,
        method: str = "rotation",
        robust: bool = False,
        model: str = "",
        size: int = 224,
    ) -> dict:
        """PCA of every layer in colours that stay, [layers, h, w, 3], with one foreground; method
        is rotation, order, signs, joint or none."""

        def make() -> Any:
            from dino_core.scenes.depth import depth_scene

            seen = self._look(picture, request, model, size)
            return depth_scene(seen, preset, flip, method, robust)  # type: ignore[arg-type]

        return plain_scene(make, "colours", "foreground")

    def whatif(
        self,
        picture: dict,
        request: gr.Request,
        edits: list[str],
        layer: int = -1,
        seed: int = 0,
        reference: str = "samples",
        model: str = "",
        size: int = 224,
    ) -> dict:
        """The model's insides changed: edits are SITE=VALUE, such as head:8.3=mean, all at once and
        in this order. Cosines of before and after [h, w] and by layer, attention of the class token
        [heads, h, w] and colours of a layer before and after; layer -1 is the last. Means, noise
        and other pictures are taken from the reference: the samples, or a gallery by its name."""

        def make() -> Any:
            from dino_core.scenes.whatif import whatif_scene

            services = self.services
            source, secret = (
                opened(services, picture, request),
                services.visitors.secret(request.cookies),
            )
            entry = services.look(source, secret, model or services.models.default, size)
            references = services.references(reference, owner_of(secret))
            found, changes = services.changed.effects(entry, edits, seed, references=references)
            return whatif_scene(found, changes, None if layer == -1 else layer)

        arrays = ("patch_cosine", "cls_cosine_by_layer", "patch_cosine_by_layer")
        both = [f"{what}_{when}" for what in WHATIF_BOTH for when in ("before", "after")]
        return plain_scene(make, *arrays, *both)

    def _look(self, picture: dict, request: gr.Request, model: str, size: int) -> "Inspection":
        return inspected(self.services, picture, request, model, size=size)
