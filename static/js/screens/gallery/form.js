/* Which pictures: one's galleries, a zip or folder to make another, and how far it has come. */
import { dropZone } from "../../ui/upload.js";
import { sendFile } from "../../page/uploads.js";
import { sentenceOf } from "../../page/errors.js";
import { requestJson } from "../../page/scenes.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { dropped, zipOf } from "./zip.js";

const SIZES = [
  [98, "98 px, quick"],
  [224, "224 px"],
  [336, "336 px"],
];

/* onopen(name) when a gallery is chosen or made; `zone` is where files may be dropped. */
export function galleryForm(zone, onopen) {
  let cards = [],
    card = null,
    busy = false,
    view = null,
    said = null;

  const picked = el("select", { "aria-label": "Pictures", onchange: () => onopen(picked.value) });
  const file = el("input", {
    type: "file",
    accept: ".zip,application/zip",
    class: "inside-hidden",
    tabindex: "-1",
    "aria-label": "A zip of pictures",
    onchange: () => take([...file.files].map((one) => ({ path: one.name, file: one }))),
  });
  const folder = el("input", {
    type: "file",
    webkitdirectory: true,
    class: "inside-hidden",
    tabindex: "-1",
    "aria-label": "A folder of pictures",
    onchange: () =>
      take(
        [...folder.files].map((one) => ({ path: one.webkitRelativePath || one.name, file: one })),
      ),
  });
  const button = (text, title, onclick) =>
    el("button", { type: "button", class: "inside-button", text, title, onclick });
  const zip = button(
      "Upload a zip",
      "A folder for each class in it gives labels: cats/1.jpg, dogs/1.jpg",
      () => file.click(),
    ),
    whole = button("A folder", "All pictures in a folder and the folders inside it", () =>
      folder.click(),
    );
  const model = el("select", { "aria-label": "Model" }),
    size = el(
      "select",
      { "aria-label": "Input size" },
      ...SIZES.map(([value, text]) => el("option", { value, text, selected: value === 224 })),
    );
  const stop = button("Cancel", "Nothing that was computed is lost: it can go on later", () =>
      steer("stop"),
    ),
    goOn = button("Go on", "Takes it up where it stopped", () => steer("resume"));
  const drop = button(
    "Delete",
    "Removes these pictures and all that was computed from the server",
    () => remove(),
  );
  const bar = el("progress", { max: 1, value: 0, "aria-label": "Progress" }),
    words = el("p", { class: "inside-note", role: "status" });
  const problem = el("p", { class: "inside-problem", role: "alert", hidden: true });
  const field = (label, input) =>
    el("label", { class: "inside-field" }, el("span", { text: label }), input);
  const broken = el("ul", { class: "inside-broken" }),
    brokenNode = el("details", { class: "inside-more", hidden: true }, el("summary"), broken);
  const node = el(
    "section",
    { class: "inside-gallery-form", "aria-label": "Which pictures" },
    el(
      "div",
      { class: "inside-controls" },
      field("Pictures", picked),
      zip,
      whole,
      file,
      folder,
      el("span", { class: "inside-note inside-or", text: "or drop one anywhere here" }),
      drop,
    ),
    el("div", { class: "inside-gallery-state" }, words, bar, stop, goOn),
    problem,
  );
  const more = el(
    "div",
    {},
    el(
      "div",
      { class: "inside-controls" },
      field("Model of the next upload", model),
      field("Its input size", size),
    ),
    brokenNode,
  );

  function say(text) {
    problem.hidden = !text;
    problem.textContent = text ?? "";
  }

  // ---------- uploading

  async function take(files) {
    file.value = folder.value = "";
    if (!files.length || busy) return;
    say(null);
    busy = true;
    draw();
    try {
      const single =
        files.length === 1 && !/\.(jpe?g|png|webp|gif|tiff?|bmp)$/i.test(files[0].path);
      const name = single
        ? files[0].file.name
        : `${files[0].path.split("/")[0].replace(/\.\w+$/, "")}.zip`;
      const body = single
        ? files[0].file
        : await zipOf(files, (share) => {
            tell(`Packing the folder: ${percent(share, 0)}.`, share);
          });
      const made = await send(name, body);
      cards = [made, ...cards];
      busy = false;
      onopen(made.name);
    } catch (error) {
      say(sentenceOf(error));
    }
    busy = false;
    said = null;
    draw();
  }

  const send = (name, body) => {
    const query = new URLSearchParams({ name, size: size.value, model: model.value });
    return sendFile(`galleries?${query}`, body, (share) =>
      tell(`${name}: ${percent(share, 0)} sent.`, share),
    );
  };

  dropZone(zone, async (transfer) => take(await dropped(transfer)));

  // ---------- steering

  async function steer(wish) {
    stop.disabled = goOn.disabled = true;
    try {
      follow(await requestJson(`galleries/${card.name}/steer?wish=${wish}`, { method: "POST" }));
      if (wish === "stop") tell("Asked to stop: after the pictures it is at.", bar.value);
      onopen(card.name);
    } catch (error) {
      say(sentenceOf(error));
    }
    stop.disabled = goOn.disabled = false;
  }

  async function remove() {
    if (drop.dataset.sure !== card.name) {
      // the second press means it
      drop.dataset.sure = card.name;
      drop.textContent = "Really delete?";
      setTimeout(() => {
        drop.dataset.sure = "";
        drop.textContent = "Delete";
      }, 4000);
      return;
    }
    try {
      await requestJson(`galleries/${card.name}`, { method: "DELETE" });
      cards = cards.filter(({ name }) => name !== card.name);
      onopen("samples");
    } catch (error) {
      say(sentenceOf(error));
    }
  }

  // ---------- drawing

  const span = (seconds) =>
    seconds >= 5400
      ? `${(seconds / 3600).toFixed(1)} h`
      : seconds >= 90
        ? `${Math.round(seconds / 60)} min`
        : `${Math.max(Math.round(seconds), 1)} s`;

  function tell(text, share = null) {
    said = [text, share];
    draw();
  }

  function draw() {
    zip.disabled = whole.disabled = busy;
    const [text, share] = said ?? [
      card ? sentence() : "",
      card?.state === "embedding" && card.alive && card.total ? card.done / card.total : null,
    ];
    words.textContent = text;
    bar.style.visibility = share === null ? "hidden" : "";
    if (share !== null) bar.value = share;
    stop.textContent = card?.seen ? "Stop" : "Cancel";
    stop.hidden = busy || !card?.wishes.includes("stop");
    goOn.hidden = busy || !card?.wishes.includes("resume");
    drop.hidden = !card?.mine || card.alive;
    const list = card?.broken ?? [];
    brokenNode.hidden = !list.length;
    brokenNode.firstChild.textContent = unread().replace("one", "One");
    if (broken.dataset.count !== String(list.length))
      broken.replaceChildren(
        ...list.slice(0, 200).map(([name, why]) => el("li", { text: `${name}: ${why}` })),
      );
    broken.dataset.count = list.length;
  }

  const unread = () =>
    card.broken_count
      ? `${card.broken_count === 1 ? "one file" : `${card.broken_count} files`} could not be read`
      : "";

  function sentence() {
    if (!card.seen || ["failed", "stopped"].includes(card.state))
      return [
        card.words,
        card.alive && card.seconds_left ? `${span(card.seconds_left)} left` : "",
        unread(),
      ]
        .filter(Boolean)
        .join(" · ");
    return [
      `${card.pictures - (card.broken_count ?? 0)} pictures`,
      card.classes ? `${card.classes} classes` : "without labels",
      `${card.model} at ${card.size} px`,
      unread(),
      card.alive ? card.doing : "",
    ]
      .filter(Boolean)
      .join(" · ");
  }

  function offer() {
    const text = JSON.stringify(cards.map(({ name, title, pictures }) => [name, title, pictures]));
    if (picked.dataset.text !== text) {
      picked.dataset.text = text;
      picked.replaceChildren(
        ...cards.map(({ name, title }) => el("option", { value: name, text: title })),
      );
    }
    picked.value = card?.name ?? "";
  }

  /* What is known about the open gallery. */
  function follow(next) {
    card = next;
    said = null;
    cards = cards.some(({ name }) => name === next.name)
      ? cards.map((one) => (one.name === next.name ? next : one))
      : [next, ...cards];
    offer();
    draw();
  }

  return {
    node,
    more,
    follow,
    say,
    list(answer) {
      cards = answer.galleries;
      if (!model.options.length)
        model.replaceChildren(
          ...answer.models.map(([name, label]) =>
            el("option", { value: name, text: label, selected: name === view?.model }),
          ),
        );
      offer();
    },
    fit(next) {
      view = next;
    },
    get cards() {
      return cards;
    },
    get problem() {
      return problem.hidden ? null : problem.textContent;
    },
  };
}
