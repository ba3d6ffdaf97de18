/* A second map of the same pictures, of another layer, other features or another model: a slider
   takes every point from where it lies in one to where it lies in the other. */
import { sentenceOf } from "../../page/errors.js";
import { choice, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { rafThrottle } from "../../ui/frame.js";
const FEATURES = [
  ["cls", "Class token"],
  ["mean_patch", "Mean patch"],
  ["both", "Both"],
];

/* desk: { data(), gallery(), method(), cards(), map, first() -> xy, problem(text) } */
export function secondMap(desk) {
  let features = "cls",
    layer = 0,
    other = "",
    xy = null,
    share = 0,
    asked = 0;
  const kinds = choice("Features of the second map", FEATURES, features, (value) => {
    features = value;
    load();
  });
  const layers = slider("Its layer", {
    max: 11,
    value: 0,
    oninput: rafThrottle((value) => {
      layer = value;
      load();
    }),
  });
  const galleries = el("select", {
    "aria-label": "Gallery of the second map",
    onchange: () => {
      other = galleries.value;
      load();
    },
  });
  const between = slider("From the first to the second", {
    max: 1,
    step: 0.01,
    value: 0,
    say: (value) =>
      value === 0 ? "the first" : value === 1 ? "the second" : `${Math.round(100 * value)} %`,
    oninput: rafThrottle((value) => {
      share = value;
      blend();
    }),
  });
  between.node.classList.add("wide");
  const go = el("button", {
    type: "button",
    class: "inside-button",
    text: "Go there and back",
    onclick: () => swing(),
  });
  const words = el("p", { class: "inside-note", "aria-live": "polite" });
  const choose = el(
    "label",
    { class: "inside-field", hidden: true },
    el("span", { text: "Gallery" }),
    galleries,
  );
  const node = el(
    "details",
    { class: "inside-more" },
    el("summary", { text: "A second map of the same pictures" }),
    el("div", { class: "inside-controls" }, choose, kinds.node, layers.node),
    el("div", { class: "inside-controls" }, between.node, go),
    words,
  );
  node.addEventListener("toggle", () => {
    if (node.open) load();
    else reset();
  });

  async function load() {
    if (!node.open) return;
    const mine = ++asked,
      from = other || desk.data().name;
    const query = new URLSearchParams({
      features,
      layer,
      method: desk.method(),
      ...(other ? { like: desk.data().name } : {}),
    });
    try {
      const data = other ? desk.dataOf(from) : desk.data();
      const found = await data.settle(
        "points",
        Object.fromEntries(query),
        () => mine === asked && node.open,
        (text) => {
          words.textContent = text;
        },
      );
      if (!found) return;
      xy = other ? await matched(data, found.xy) : found.xy;
      words.textContent = `The second map: ${FEATURES.find(([name]) => name === features)[1].toLowerCase()}, layer ${found.facts.layer}${other ? `, ${galleries.selectedOptions[0].textContent}` : ""}. Points that travel far have other neighbours there.`;
      blend();
    } catch (error) {
      words.textContent = sentenceOf(error);
    }
  }

  /* The other gallery's points in this one's order, by the names of the pictures. */
  async function matched(data, theirs) {
    const scene = await data.ask("pictures"),
      place = new Map(scene.facts.names.map((name, i) => [name, i])),
      mine = Float32Array.from(desk.first());
    desk.gallery().facts.names.forEach((name, i) => {
      const at = place.get(name);
      if (at !== undefined) mine.set(theirs.subarray(2 * at, 2 * at + 2), 2 * i);
    });
    return mine;
  }

  function blend() {
    const first = desk.first();
    if (!xy || !first || xy.length !== first.length || !node.open) return;
    desk.map.setPoints(
      share === 0 ? first : first.map((value, i) => value + (xy[i] - value) * share),
      false,
    );
  }

  /* The whole way in about a second; at once where motion is not wanted. */
  function swing() {
    const from = share,
      to = share < 0.5 ? 1 : 0,
      begin = performance.now();
    const frame = (now) => {
      const t = matchMedia("(prefers-reduced-motion: reduce)").matches
        ? 1
        : Math.min(Math.max((now - begin) / 1100, 0), 1);
      share = from + (to - from) * t * t * (3 - 2 * t);
      between.set(share);
      blend();
      if (t < 1) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  function reset() {
    if (share !== 0 && desk.first()) desk.map.setPoints(desk.first());
    share = 0;
    between.set(0);
  }

  return {
    node,
    /* Another gallery, or another first map. */
    open(gallery) {
      xy = null;
      share = layer = 0;
      between.set(0);
      layers.limit(gallery.facts.layers - 1);
      layers.set(0);
      const { name } = desk.data(),
        count = gallery.facts.names.length,
        alike = desk
          .cards()
          .filter(
            (card) =>
              card.name !== name && card.seen && card.pictures >= count && card.name !== "samples",
          );
      other = "";
      galleries.replaceChildren(
        el("option", { value: "", text: "this one" }),
        ...alike.map((card) =>
          el("option", {
            value: card.name,
            text: `${card.title}, ${card.model} at ${card.size} px`,
          }),
        ),
      );
      choose.hidden = !alike.length;
      load();
    },
    again: () => load(),
    get state() {
      return { open: node.open, share, layer, features };
    },
  };
}
