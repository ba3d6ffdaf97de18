"""Named endpoints of several models, layers or pictures: compare, grid, tray, tokens."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from app.page.calls import backbone_of, in_sentences, inspected
from app.services import Services

if TYPE_CHECKING:
    from dino_core.analysis.inspection import Inspection

MOST = 6  # models of one request
MOST_ROWS = 12  # pictures of a tray, and its models; the library says the same


@dataclass(frozen=True)
class ModelEndpoints:
    """One picture in several models and layers, each view in one call."""

    services: Services

    def compare(
        self,
        picture: dict,
        request: gr.Request,
        first: str = "",
        second: str = "",
        first_layer: int = -1,
        second_layer: int = -1,
        preset: str = "paper",
        flip: bool = False,
        size: int = 224,
    ) -> dict:
        """A picture in two models, or in two layers of one: CKA of the two, their PCA colours and
        scores [h, w, 3] in the first one's order and signs, how well the components go together,
        and layers, the CKA of every layer of the first with every layer of the second. Layers count
        from 0, -1 is the last. Without a name a model is that with which the page begins."""

        def make() -> dict:
            from dino_core.scenes.for_programs import compare_values

            one = self._look(picture, request, first, size)
            other = one if first == second else self._look(picture, request, second, size)
            layers = (first_layer, second_layer)
            return compare_values(one, other, layers, preset=preset, flip=flip)

        return in_sentences(make)

    def grid(
        self,
        picture: dict,
        request: gr.Request,
        models: list[str],
        layers: list[int],
        view: str = "pca",
        row: int = -1,
        column: int = -1,
        preset: str = "paper",
        flip: bool = False,
        method: str = "rotation",
        robust: bool = False,
        size: int = 224,
    ) -> dict:
        """Models times layers of one view, in one basis: maps [models][layers] of pca (colours
        [h, w, 3] from 0 to 1), attention (mean of all heads) or similar, [h, w], of a patch of the
        first model's grid, where row -1 is the class token; and the CKA of each cell with the last.
        Layers count from 0, -1 is the last."""

        def make() -> dict:
            from dino_core.scenes.for_programs import grid_values, view_of

            asked = {"preset": preset, "flip": flip, "method": method, "robust": robust}
            shown = view_of(view, row=row, column=column, **asked)  # type: ignore[arg-type]
            if len(models) > MOST:
                raise ValueError(f"At most {MOST} models at once, not {len(models)}.")
            seen = {name: self._look(picture, request, name, size) for name in models}
            values = grid_values([seen[name] for name in models], layers, shown)
            return {"models": models} | values

        return in_sentences(make)

    def tray(
        self,
        pictures: list[dict],
        request: gr.Request,
        columns: list[str] | None = None,
        preset: str = "paper",
        flip: bool = False,
        method: str = "rotation",
        robust: bool = False,
        k: int = 6,
        seed: int = 0,
        model: str = "",
        second: str | list[str] = "",
        size: int = 224,
    ) -> dict:
        """Up to twelve pictures as rows, up to twelve views as columns, one basis and one scale a
        column: maps [columns][rows], what each column says, and the models by number. A column is
        VIEW[:LAYER[.HEAD]][@[PICTURE:]ROW,COL][/MODEL] with the views input, pca, attention,
        similar, clusters, norms and difference, such as pca:8, attention:11.3, similar@0:6,12 or
        pca/1, which is of model 1: model is model 0, and second is model 1, or the models 1, 2 and
        so on, twelve in all. Each picture is named as a picture is."""

        def make() -> dict:
            from dino_core.scenes.for_programs import tray_values

            if len(pictures) > MOST_ROWS:
                raise ValueError(f"A tray holds 1 to {MOST_ROWS} pictures, not {len(pictures)}.")
            others = [second] if isinstance(second, str) else second
            names = [model, *(name for name in others if name)]
            if len(names) > MOST_ROWS:
                raise ValueError(f"A tray has 1 to {MOST_ROWS} models, not {len(names)}.")

            def look(row: int) -> "list[Inspection]":
                return [self._look(pictures[row], request, name, size) for name in names]

            words = ["input", "pca", "attention"] if columns is None else columns
            colours = {"preset": preset, "flip": flip, "align": method, "robust": robust}
            said = [name or self.services.models.default for name in names]
            return {"models": said} | tray_values(
                len(pictures), look, words, **colours, k=k, seed=seed
            )

        return in_sentences(make)

    def tokens(self, picture: dict, request: gr.Request, model: str = "", size: int = 224) -> dict:
        """What each patch becomes before the first block: lengths [h, w] of the embedded patch, of
        its position and of their sum; and after each block, beginning with what enters the first,
        the cosines of every patch with those above, right, below and left, [layers + 1, h, w, 4],
        null outside the picture, and of every register with the class token."""

        def make() -> dict:
            from dino_core.scenes.for_programs import token_values

            seen = self._look(picture, request, model, size)
            return token_values(backbone_of(self.services, request, model).vit, seen)

        return in_sentences(make)

    def _look(self, picture: dict, request: gr.Request, model: str, size: int) -> "Inspection":
        return inspected(self.services, picture, request, model, size=size)
