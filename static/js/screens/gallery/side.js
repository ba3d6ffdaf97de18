/* The chosen picture: itself, its nearest ones, how they vote, and the patches that are like one of its. */
import { sentenceOf } from "../../page/errors.js";
import { selectedPatch } from "../../page/selection.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { PatchPicture } from "../../ui/patch-picture.js";
import { fillGrid } from "./atlas.js";
import { colourOf } from "./plane.js";

/* desk: { gallery(), data(), atlas(), layer(), features(), k(), pick(i), openInExplorer(i), problem(text) } */
export function chosenPicture(desk) {
  let index = null,
    near = null,
    patch = null,
    alike = null,
    asked = 0;

  const picture = new PatchPicture({
    from: selectedPatch,
    label:
      "The chosen picture, as the model sees it. Click a patch, or move with the arrows and press Enter, for the most similar patches of all pictures.",
    onpin: (row, col) => findPatches(row, col),
    say: () => "find patches like this",
  });
  picture.node.classList.add("inside-gallery-picture");
  let at = [0, 0];
  picture.key = (event) => {
    // the arrows move a patch of this picture, not the page's own
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] },
      [h, w] = picture.grid;
    if (moves[event.key]) {
      at = [
        Math.min(Math.max(at[0] + moves[event.key][0], 0), h - 1),
        Math.min(Math.max(at[1] + moves[event.key][1], 0), w - 1),
      ];
      picture.mark(...at, false);
    } else if (event.key === "Enter") findPatches(...at);
    else if (event.key === "Escape") forgetPatch();
    else return;
    event.preventDefault();
  };

  const title = el("h2"),
    kind = el("p", { class: "inside-note inside-gallery-kind" });
  const open = el("button", {
    type: "button",
    class: "inside-button",
    text: "Open in the explorer",
    title: "As if it had been uploaded: all other screens show it",
    onclick: () => desk.openInExplorer(index),
  });
  const grid = el("div", {
      class: "inside-tiles near",
      role: "group",
      "aria-label": "Nearest pictures",
    }),
    vote = el("div", { class: "inside-bars inside-votes" });
  const nearTitle = el("h2", { text: "Nearest in the original space" }),
    patchTitle = el("h2", { text: "Patches like the one you click" }),
    patchWords = el("p", { class: "inside-note" });
  const patches = el("div", {
    class: "inside-tiles near",
    role: "group",
    "aria-label": "Similar patches",
  });
  const node = el(
    "section",
    { class: "inside-gallery-side", "aria-label": "The chosen picture" },
    el(
      "div",
      { class: "inside-gallery-chosen" },
      picture.node,
      el("div", { class: "inside-gallery-facts" }, title, kind, open),
    ),
    el("div", { "aria-live": "polite" }, nearTitle),
    grid,
    vote,
    patchTitle,
    patchWords,
    patches,
  );

  const short = (name) => name.split("/").at(-1);
  const entry = (i, words) => ({ index: i, title: desk.gallery().facts.names[i], words });
  const similarity = (value) => value.toFixed(3);

  /* Names it, draws it, and asks for its neighbours. */
  async function show(next) {
    index = next;
    forgetPatch();
    const gallery = desk.gallery(),
      { names, grid: cells } = gallery.facts;
    picture.show(desk.data().url(`pictures/${index}.jpg`), cells, [1, 1]);
    picture.picture.alt = names[index];
    at = [Math.floor(cells[0] / 2), Math.floor(cells[1] / 2)];
    title.textContent = short(names[index]);
    title.title = names[index];
    tellKind();
    return neighbours();
  }

  function tellKind() {
    if (index === null) return;
    const {
        labels,
        facts: { classes },
      } = desk.gallery(),
      label = labels[index],
      said = desk.predicted(index);
    kind.replaceChildren(
      ...[
        label >= 0
          ? el("span", {}, swatch(label), classes[label])
          : el("span", { text: "no label" }),
        said
          ? el("span", {
              text: `${desk.probeName()} says ${classes[said.label]} (${percent(said.confidence, 0)})`,
            })
          : null,
      ].filter(Boolean),
    );
  }
  const swatch = (group) =>
    el("i", { class: "inside-swatch", style: `background:rgb(${colourOf(group)})` });

  async function neighbours() {
    const mine = ++asked;
    const found = await desk
      .data()
      .settle(
        `neighbours/${index}`,
        { k: desk.k(), features: desk.features(), layer: desk.layer() },
        () => mine === asked,
      );
    if (!found) return;
    near = found;
    nearTitle.textContent = `The ${near.indices.length} nearest in the original space`;
    fillGrid(
      grid,
      desk.atlas(),
      [...near.indices].map((i, n) => entry(i, similarity(near.similarities[n]))),
      desk.pick,
    );
    drawVotes();
  }

  function drawVotes() {
    const { classes } = desk.gallery().facts;
    vote.hidden = !near.facts.votes.length;
    vote.replaceChildren(
      ...near.facts.votes
        .slice(0, 3)
        .map(([name, share]) =>
          el(
            "div",
            {},
            el("span", { class: "name", title: name }, swatch(classes.indexOf(name)), name),
            el("i", { style: `--share:${share}` }),
            el("b", { text: percent(share) }),
          ),
        ),
    );
  }

  async function findPatches(row, col) {
    patch = [row, col];
    at = patch;
    picture.mark(row, col, true);
    patchTitle.textContent = `Patches most like patch ${row}, ${col}`;
    patchWords.textContent = "Looking …";
    const mine = index;
    try {
      const found = await desk
        .data()
        .settle(
          `patches/${index}`,
          { row, column: col, k: 10 },
          () => mine === index && patch?.[0] === row && patch?.[1] === col,
        );
      if (!found) return;
      alike = found;
      patchWords.textContent =
        alike.facts.words ||
        `Of ${alike.facts.searched} pictures, by cosine similarity in the last layer.`;
      fillGrid(
        patches,
        desk.atlas(),
        [...alike.indices].map((i, n) => entry(i, similarity(alike.similarities[n]))),
        desk.pick,
      );
      [...patches.children].forEach((button, n) => mark(button, alike.rows[n], alike.columns[n]));
    } catch (error) {
      patchWords.textContent = sentenceOf(error);
    }
  }

  /* A frame on a tile around the patch that was found there. */
  function mark(button, row, col) {
    const [h, w] = desk.gallery().facts.grid;
    button.firstChild.append(
      el("i", {
        class: "patch",
        style: `left:${(100 * col) / w}%;top:${(100 * row) / h}%;width:${100 / w}%;height:${100 / h}%`,
      }),
    );
    button.title += `, patch ${row}, ${col}`;
  }

  function forgetPatch() {
    patch = alike = null;
    picture.mark(null, null);
    patchTitle.textContent = "Patches like one of its";
    patchWords.textContent = "Click a place in the picture above.";
    patches.replaceChildren();
  }

  return {
    node,
    show,
    neighbours,
    tellKind,
    forgetPatch,
    clear() {
      index = near = null;
      asked += 1;
      forgetPatch();
      grid.replaceChildren();
    },
    get index() {
      return index;
    },
    get near() {
      return near;
    },
    get state() {
      return {
        neighbours: near && [...near.indices],
        similarities: near && [...near.similarities],
        votes: near?.facts.votes ?? null,
        patch,
        patches:
          alike &&
          [...alike.indices].map((i, n) => [
            i,
            alike.rows[n],
            alike.columns[n],
            alike.similarities[n],
          ]),
      };
    },
  };
}
