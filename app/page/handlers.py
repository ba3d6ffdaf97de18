"""What happens when something in the rail is touched.

Every change of the rail ends in `_show`, which hands the page its `view`; the screens fetch and
draw by themselves. A file that cannot be read, or a model that cannot be had, changes nothing but
the status line. A handler answers with the widgets that change, and with nothing else.
"""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from app.first_visit import stored
from app.page.client_side import ARRIVED, ARRIVES, BEGINS, EMPTIED, ENDS, NEXT_SEED, SHOWN, WANTED
from app.page.components import status_line
from app.page.rail import sample_caption
from app.page.updates import Choice, Session, Update, Updates, check_seed, read_upload
from app.routes.galleries import is_sample, open_from_gallery
from app.routes.pictures import view_of
from app.state.checkpoints import GONE, is_checkpoint
from app.state.models import Progress, read_sample
from app.state.trays import GONE as NOT_KEPT
from app.visitors import owner_of

NOT_TAKEN = "This file was not taken: a picture of at most 25 MB is wanted."
NOT_HERE = (
    "The picture of this link is not here: it was somebody's own, or it is no longer kept. "
    "This is a sample."
)


class Handlers(Updates):
    """The handlers of one page, and what they may change in it.

    The strip is told which picture the page shows, and its script tells all screens.
    """

    def connect(self, page: gr.Blocks) -> None:
        """Ties each widget to its handler."""
        rail, session = self.rail, self.session
        asking = [session, rail.shown]
        chosen = [rail.model, rail.size, rail.seed]
        changed = [session, rail.picture, rail.status, rail.badge, *chosen, self.strip]
        work: dict[str, Any] = {
            "outputs": changed,
            "concurrency_id": "model",
            "concurrency_limit": 1,
            "show_progress": "minimal",
            "show_progress_on": rail.status,
            "api_visibility": "private",
        }
        # Whoever asks for another picture before the last has come wants that one.
        asked: dict[str, Any] = work | {"js": BEGINS, "trigger_mode": "always_last"}
        answered: dict[str, Any] = {"js": ENDS, "api_visibility": "private"}
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        # It may end before Gradio has its words, and "common.complete" would be read out.
        arriving = work | {"show_progress": "hidden"}
        page.load(self.arrive, [rail.link, *chosen], js=ARRIVES, **arriving).then(
            None, js=ARRIVED, api_visibility="private"
        )
        # Only the path goes on: the image widget would decode the file itself, and be silent or
        # wrong about broken, 16-bit and animated ones.
        rail.picture.upload(
            None, rail.picture, rail.uploaded, js="(file) => file.path", api_visibility="private"
        ).then(self.open_file, [*asking, rail.uploaded, *chosen], **asked).then(None, **answered)
        # A file that the widget itself turns away empties it, and nothing else is heard of it.
        rail.picture.change(None, rail.picture, rail.emptied, js=EMPTIED, **quiet)
        rail.emptied.change(
            self.restore,
            [*asking, rail.emptied],
            [rail.picture, rail.status],
            js=SHOWN,
            **quiet,
        )
        for event, handler, values in (
            (self.strip.select, self.travel, [self.strip]),
            (rail.samples.select, self.open_sample, [rail.samples]),
            (self.gallery.select, self.open_gallery_picture, [self.gallery]),
            (self.tray.select, self.open_tray_picture, [self.tray]),
            (rail.wanted.change, self.change_model, []),
            (rail.checkpoint.select, self.open_checkpoint, [rail.checkpoint]),
        ):
            event(handler, [*asking, *values, *chosen], **asked).then(None, **answered)
        for choice in (rail.model, rail.size):
            looked_at = [rail.model, rail.size, rail.wanted]
            choice.input(None, looked_at, rail.wanted, js=WANTED, **quiet)
        rail.seed.change(
            self.redraw,
            [*asking, rail.seed],
            [rail.status, self.strip],
            js=SHOWN,
            trigger_mode="always_last",
            show_progress="hidden",
            api_visibility="private",
        )
        rail.again.click(None, rail.seed, rail.seed, js=NEXT_SEED, api_visibility="private")

    # -- handlers ----------------------------------------------------------------------------

    def arrive(self, link: str, model: str, size: int, seed: int, request: gr.Request) -> Update:
        """A new page: what its link says; what was open, if it was reloaded; else the sample."""
        asked = dict(parse_qsl(link.lstrip("#")))
        try:
            choice = Choice(
                asked.get("model", model),
                int(asked.get("size", size)),
                int(asked.get("seed", seed or 0)),
            )
            check_seed(choice.seed)
        except ValueError:
            return self._reject(stored.KEY, "This link is damaged.", request)
        pictures, secret = self.services.pictures, self._secret(request)
        if own := asked.get("picture"):
            return self._open_own(own, choice, request)
        sample = asked.get("sample", stored.SAMPLE)
        if is_checkpoint(choice.model) and not self._has(choice.model, secret):
            return self._go_back(sample, choice, request)
        key = pictures.newest(secret)
        entry = pictures.get(secret, key) if key else None
        if entry and key and asked.get("sample", "") == entry.sample:
            return self._show(key, entry, choice.seed, "Welcome back: this is what you had open.")
        first = (stored.SAMPLE, self.services.models.default, stored.SIZE)
        if (sample, choice.model, choice.size) == first and self.services.first_visit:
            return self._show_first(self.services.first_visit, choice.seed or 0, secret)
        return self._open_sample(sample, choice, stored.KEY, request)

    def travel(
        self,
        session: Session,
        shown: str,
        link: Any,
        model: str,
        size: int,
        seed: int | None,
        request: gr.Request,
    ) -> Update:
        """Back or Forward to another picture: what its link names."""
        asked = dict(parse_qsl(str(link or "").lstrip("#")))
        try:
            choice = Choice(asked.get("model", model), int(asked.get("size", size)), seed)
        except ValueError:
            return self._reject(session.or_shown(shown), "This link is damaged.", request)
        if own := asked.get("picture"):
            return self._open_own(own, choice, request)
        sample = asked.get("sample", stored.SAMPLE)
        if is_checkpoint(choice.model) and not self._has(choice.model, self._secret(request)):
            return self._go_back(sample, choice, request)
        return self._open_sample(sample, choice, session.or_shown(shown), request)

    def open_sample(
        self,
        session: Session,
        shown: str,
        file: str,
        model: str,
        size: int,
        seed: int | None,
        request: gr.Request,
    ) -> Update:
        """One of the samples, by its file's name."""
        return self._open_sample(file, Choice(model, size, seed), session.or_shown(shown), request)

    def open_file(
        self,
        session: Session,
        shown: str,
        path: str,
        model: str,
        size: int,
        seed: int | None,
        request: gr.Request,
    ) -> Update:
        """A picture that was uploaded."""
        try:
            source = read_upload(self.services, self._secret(request), path)
            choice, origin = Choice(model, size, seed), f"upload/{Path(path).parent.name}"
            return self._open(source, choice, "Your picture.", request, origin=origin)
        except ValueError as error:
            return self._reject(session.or_shown(shown), str(error), request)

    def restore(self, session: Session, shown: str, emptied: str, request: gr.Request) -> Update:
        """The picture that is open, where the widget lost it over a file that it does not take."""
        if not emptied:
            return {self.rail.status: gr.skip()}
        gr.Warning(NOT_TAKEN)
        entry = self.services.pictures.get(self._secret(request), session.or_shown(shown))
        return {
            self.rail.status: status_line(NOT_TAKEN, alarm=True),
            **self._thumbnail(entry),
        }

    def open_gallery_picture(
        self,
        session: Session,
        shown: str,
        asked: dict[str, Any] | None,
        model: str,
        size: int,
        seed: int | None,
        request: gr.Request,
    ) -> Update:
        """A picture of the map, as if it had been uploaded; the map is its visitor's own."""
        key = session.or_shown(shown)
        try:
            name, index = str(dict(asked or {})["gallery"]), int(dict(asked or {})["index"])
        except (KeyError, TypeError, ValueError, OverflowError):
            return self._reject(key, "There is no such picture.", request)
        try:
            return self._open_from_gallery(name, index, Choice(model, size, seed), key, request)
        except (ValueError, OverflowError) as error:
            return self._reject(key, str(error), request)

    def open_tray_picture(
        self,
        session: Session,
        shown: str,
        asked: dict[str, Any] | None,
        model: str,
        size: int,
        seed: int | None,
        request: gr.Request,
    ) -> Update:
        """A row of the tray becomes the page's picture."""
        key, choice = session.or_shown(shown), Choice(model, size, seed)
        kind, _, rest = str(dict(asked or {}).get("row", "")).partition("/")
        try:
            if kind == "sample":
                return self._open_sample(rest, choice, key, request)
            if kind == "gallery":
                name, _, index = rest.rpartition("/")
                if not index.isdecimal():
                    raise ValueError(NOT_KEPT)
                return self._open_from_gallery(name, int(index), choice, key, request)
            own = self.services.trays.find(self._secret(request), rest)
            caption, origin = f"{own.name}, from the tray.", f"upload/{rest}"
            return self._open(own.decoded(), choice, caption, request, origin=origin)
        except (ValueError, OverflowError) as error:
            return self._reject(key, str(error), request)

    def change_model(
        self,
        session: Session,
        shown: str,
        model: str,
        size: int,
        seed: int | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  (Gradio looks for it here)
    ) -> Update:
        """The same picture in another model or at another size.

        A model that is not on disk is downloaded: it was chosen from the list, which says so.
        """

        def report(done: int, total: int | None) -> None:
            progress((done, total), desc="Downloading", unit="bytes")

        choice = Choice(model, size, seed)
        return self._change(session.or_shown(shown), choice, request, report)

    def open_checkpoint(
        self,
        session: Session,
        shown: str,
        name: str | None,
        model: str,
        size: int,
        seed: int | None,
        request: gr.Request,
    ) -> Update:
        """A checkpoint came to the visitor's list: the same picture in it. "": one has gone."""
        key = session.or_shown(shown)
        if name:
            return self._change(key, Choice(str(name), size, seed), request)
        entry, secret = (
            self.services.pictures.get(self._secret(request), key),
            self._secret(request),
        )
        shown_model, update = entry.model if entry else model, Update()
        if entry and is_checkpoint(entry.model) and not self._has(entry.model, secret):
            shown_model = self.services.models.default
            update = self._change(key, Choice(shown_model, size, seed), request)
        return update | {self.rail.model: self._listed(shown_model, secret, shorter=True)}

    def _change(
        self, key: str, choice: Choice, request: gr.Request, report: Progress | None = None
    ) -> Update:
        """The open picture in another model or at another size; where refused, it stays."""
        secret = self._secret(request)
        entry = self.services.pictures.get(secret, key)
        if entry is None:
            return self._reject(key, "Open a picture first.", request)
        if (entry.model, entry.size) == (choice.model, choice.size):  # left as it was
            return {self.rail.status: gr.skip()}
        try:
            self.services.models.backbone(choice.model, True, report, owner=owner_of(secret))
            source, caption = entry.picture.source, "The same picture, looked at anew."
            about = {"sample": entry.sample, "origin": entry.origin}
            return self._open(source, choice, caption, request, **about)
        except ValueError as error:
            return self._reject(key, str(error), request)

    def redraw(self, session: Session, shown: str, seed: int | None, request: gr.Request) -> Update:
        """Another seed: the views draw again, the model does not run."""
        key = session.or_shown(shown)
        entry = self.services.pictures.get(self._secret(request), key)
        if entry is None or seed is None:
            return {self.rail.status: gr.skip()}
        try:
            check_seed(seed)
        except ValueError as error:
            return {self.rail.status: status_line(str(error), alarm=True)}
        return {self.strip: gr.update(view=view_of(key, entry, seed))}

    def _open_from_gallery(
        self, name: str, index: int, choice: Choice, key: str, request: gr.Request
    ) -> Update:
        """A picture of a gallery, a sample as that sample. ValueError for one that is not there."""
        owner = owner_of(self._secret(request))
        source, file = open_from_gallery(self.services.galleries, name, index, owner)
        if is_sample(name):
            return self._open_sample(file, choice, key, request)
        caption, origin = f"{Path(file).name}, from your pictures.", f"gallery/{name}/{index}"
        return self._open(source, choice, caption, request, origin=origin)

    def _has(self, model: str, secret: str) -> bool:
        """Whether a checkpoint is this visitor's, and kept."""
        try:
            self.services.models.checkpoint(owner_of(secret), model)
        except ValueError:
            return False
        return True

    def _go_back(self, sample: str, choice: Choice, request: gr.Request) -> Update:
        """The model of a link has gone: the sample in that with which the page begins, and why."""
        gr.Warning(GONE)
        default = Choice(self.services.models.default, choice.size, choice.seed)
        update = self._open_sample(sample, default, stored.KEY, request)
        return update | {self.rail.status: status_line(GONE, alarm=True)}

    def _open_own(self, key: str, choice: Choice, request: gr.Request) -> Update:
        """A picture of the visitor's own by its key; where it is not, the sample, and why."""
        entry = self.services.pictures.get(self._secret(request), key)
        if entry is not None:
            return self._show(key, entry, choice.seed, "Welcome back: this is what you had open.")
        gr.Warning(NOT_HERE)
        first = self.services.first_visit
        if first:
            update = self._show_first(first, choice.seed or 0, self._secret(request))
        else:
            choice = Choice(self.services.models.default, stored.SIZE, choice.seed)
            update = self._open_sample(stored.SAMPLE, choice, stored.KEY, request)
        return update | {self.rail.status: status_line(NOT_HERE, alarm=True)}

    def _open_sample(self, file: str, choice: Choice, shown: str, request: gr.Request) -> Update:
        """A sample; where it is refused, what is shown stays."""
        try:
            caption = sample_caption(file)
            return self._open(read_sample(file), choice, caption, request, sample=file)
        except ValueError as error:
            return self._reject(shown, str(error), request)
