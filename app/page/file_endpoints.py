"""Named endpoints whose answer is a file: figures, films, and a picture as a page of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from app.page.calls import backbone_of, file_of, gone_check, in_sentences, inspected
from app.services import Services
from app.state.models import GivingUp, check_patches, check_side


@dataclass(frozen=True)
class FileEndpoints:
    """One picture, or a film, as a file that a person can keep."""

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

    def figure(
        self,
        picture: dict,
        request: gr.Request,
        view: str = "attention",
        layer: int = -1,
        row: int = -1,
        column: int = -1,
        head: int = -1,
        preset: str = "paper",
        flip: bool = False,
        method: str = "rotation",
        robust: bool = False,
        k: int = 6,
        seed: int = 0,
        kind: str = "svg",
        width: str = "page",
        model: str = "",
        size: int = 224,
    ) -> dict:
        """A view as a figure for print: attention, rollout, similarity (of the patch row, column),
        pca, layers (all of them, in colours that stay), clusters or norms. Answers media_type,
        base64 of an svg, pdf or png file, and caption, which says what is shown and the command
        that repeats it. width is column (89 mm), page (183 mm) or so many mm. Layer -1 is the last,
        row -1 the class token, head -1 all heads and their mean."""

        def make() -> dict:
            from dino_core.scenes.files import figure_values
            from dino_core.scenes.prints import Shown, Source

            backbone = backbone_of(self.services, request, model)
            seen = inspected(self.services, picture, request, model, size=size)
            shown = Shown(
                view,
                None if layer == -1 else layer,
                None if (row, column) == (-1, -1) else (row, column),
                None if head == -1 else head,
                preset=preset,
                flip=flip,
                k=k,
                seed=seed,
                method=method,
                robust=robust,
            )
            sample = picture.get("sample")
            source = Source(f"static/samples/{sample}" if sample else "picture.jpg", backbone.name)
            return figure_values(seen, shown, source._replace(size=size), kind=kind, width=width)

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
        of every layer in colours that stay. Answers html, its bytes (at most 4 MB for ViT-S/14
        at 224 px) and note; at most 1600 patches."""

        def make() -> dict:
            from dino_core.scenes.files import page_values

            seen = inspected(self.services, picture, request, model, size=size)
            words = backbone_of(self.services, request, model).info.title
            colours = {"preset": preset, "flip": flip, "method": method, "robust": robust}
            return page_values(seen, title=title, words=words, colours=colours)

        return in_sentences(make)

    def video(
        self,
        files: list[dict],
        request: gr.Request,
        patches: list[list[int]] | None = None,
        mask: dict | None = None,
        alike: float = 0.7,
        neighbours: int = 5,
        radius: int = 12,
        queue: int = 7,
        every: int = 1,
        most: int = 60,
        layer: int = -1,
        preset: str = "paper",
        flip: bool = False,
        kind: str = "webp",
        milliseconds: int = 80,
        arrays: bool = False,
        model: str = "",
        size: int = 224,
    ) -> dict:
        """Frames of a film, one file or its frames as pictures in order, in the colours of one PCA;
        or with what is tracked from the first frame on by likeness of patches: what hangs together
        with each of the patches [row, column] and has a cosine of at least alike, or the labels of
        a mask, an indexed or grey picture. Answers media_type, base64 of the animated WebP or GIF,
        frames, grid, seconds and notes (cuts, uneven times); with arrays also npz, base64 of a file
        for numpy.load. Files have at most 25 MB; most goes to 120 frames, of at most 60 000 patches
        together. Who closes the connection ends the work. Each file and the mask are named as a
        picture is."""

        def make() -> dict:
            from dino_core.config import PropagationConfig
            from dino_core.scenes.videos import VideoChoice, open_film, video_values

            models, is_gone = self.services.models, gone_check()
            check_side(size)
            vit = backbone_of(self.services, request, model).vit
            check_patches(size, vit.config.patch_size)
            chosen = VideoChoice(
                layer=layer,
                size=size,
                every=every,
                most=most,
                preset=preset,
                flip=flip,
                patches=places_of(patches or ()),
                mask=file_of(self.services, mask, request) if mask else None,
                alike=alike,
                propagation=PropagationConfig(neighbours, radius, queue),
                kind=kind,
                milliseconds=milliseconds,
                arrays=arrays,
            )
            paths = [file_of(self.services, one, request) for one in files]
            film = open_film(paths, vit.config.patch_size, chosen, GivingUp(is_gone))
            return models.exclusive(lambda: video_values(vit, film, chosen), is_gone=is_gone)

        return in_sentences(make)


def places_of(patches: Sequence[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    """ValueError in a sentence for what is no list of [row, column]."""
    try:
        return tuple((int(row), int(column)) for row, column in patches)
    except (TypeError, ValueError):
        raise ValueError("Patches are a list of [row, column], such as [[6, 12]].") from None
