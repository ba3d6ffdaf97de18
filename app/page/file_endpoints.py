"""Named endpoints whose answer is a file: a film through depth, a picture as a page of its own."""

from dataclasses import dataclass

import gradio as gr

from app.page.calls import backbone_of, in_sentences, inspected
from app.services import Services


@dataclass(frozen=True)
class FileEndpoints:
    """One picture as a file that a person can keep."""

    services: Services

    def film(
        self,
        picture: dict,
        request: gr.Request,
        view: str = "pca",
        row: int = -1,
        column: int = -1,
        head: int = -1,
        preset: str = "paper",
        flip: bool = False,
        method: str = "rotation",
        robust: bool = False,
        kind: str = "webp",
        steps: int = 4,
        milliseconds: int = 40,
        model: str = "",
        size: int = 224,
    ) -> dict:
        """All layers one after the other as an animated WebP or GIF, smooth in between: PCA in
        colours that stay, or attention of a patch (row -1 is the class token; head -1 the mean of
        all). Answers media_type, base64 of the file, frames, layers and note; steps is the number
        of frames from one layer to the next. At most 240 frames, fewer at large sizes."""

        def make() -> dict:
            from dino_core.scenes.files import film_values

            seen = inspected(self.services, picture, request, model, size=size)
            return film_values(
                seen,
                view,
                query=None if (row, column) == (-1, -1) else (row, column),
                head=None if head == -1 else head,
                colours={"preset": preset, "flip": flip, "method": method, "robust": robust},
                kind=kind,
                steps=steps,
                milliseconds=milliseconds,
            )

        return in_sentences(make)

    def webpage(
        self,
        picture: dict,
        request: gr.Request,
        title: str = "A picture",
        preset: str = "paper",
        flip: bool = False,
        method: str = "rotation",
        robust: bool = False,
        model: str = "",
        size: int = 224,
    ) -> dict:
        """A picture as one HTML file that needs no server: attention under the pointer, and the PCA
        of every layer in colours that stay. Answers html, its bytes (about 4 MB for ViT-S/14 at
        224 px) and note; at most 1600 patches."""

        def make() -> dict:
            from dino_core.scenes.files import page_values

            seen = inspected(self.services, picture, request, model, size=size)
            words = backbone_of(self.services, request, model).info.title
            colours = {"preset": preset, "flip": flip, "method": method, "robust": robust}
            return page_values(seen, title=title, words=words, colours=colours)

        return in_sentences(make)
