/* Many pictures: a folder or zip as a map, with the neighbours, groups and probes of its features. */
import { bus } from "../../page/bus.js";
import { requestJson } from "../../page/scenes.js";
import { run, sentenceOf } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { keep, kept } from "../../page/link.js";
import { isOpen, openScreen } from "../../page/screens.js";
import { select as selectOnPage } from "../../page/selection.js";
import { choice, slider } from "../../ui/controls.js";
import { el } from "../../ui/dom.js";
import { percent } from "../../ui/format.js";
import { rafThrottle } from "../../ui/frame.js";
import { atlasOf } from "./atlas.js";
import { galleryData } from "./data.js";
import { galleryForm } from "./form.js";
import { groupLegend } from "./legend.js";
import { galleryMap } from "./map.js";
import { probeChart } from "./probes.js";
import { secondMap } from "./second.js";
import { pictureSheet } from "./sheet.js";
import { chosenPicture } from "./side.js";
import { takeAway } from "./take.js";

const METHODS = { pca: "PCA", umap: "UMAP", tsne: "t-SNE" };
const FEATURES = { cls: "Class token", mean_patch: "Mean patch", both: "Both" };
const FEW = 120; // pictures up to which a map begins with pictures instead of points

export function create(root, { tell }) {
  let view = null,
    card = null,
    data = null,
    gallery = null,
    atlas = null,
    xy = null,
    points = null,
    clusters = null,
    predictions = null,
    wait = null;
  let method = kept("gallery.map") ?? "pca",
    features = kept("gallery.features") ?? "cls",
    layer = null,
    wished = kept("gallery.colour"),
    colour = "label",
    clustering = "kmeans",
    k = 8,
    near = 10;
  let selection = { indices: [], words: "" },
    own = null,
    epoch = 0,
    coloured = 0,
    name = null,
    command = "";
  if (!METHODS[method]) method = "pca";
  if (!FEATURES[features]) features = "cls";

  // ---------- the parts of the screen

  const desk = {
    data: () => data,
    gallery: () => gallery,
    atlas: () => atlas,
    layer: () => layer,
    features: () => features,
    k: () => near,
    method: () => method,
    cards: () => form.cards,
    first: () => xy,
    map: null,
    dataOf: galleryData,
    pick,
    chosen: () => side.index,
    selection: () => selection,
    probeQuery: () => ({ layer, kind: features, method: probes.method }),
    probeName: () => `${probes.methodName()}, layer ${layer}, ${FEATURES[features].toLowerCase()}`,
    predicted: (i) =>
      predictions && predictions.labels[i] >= 0
        ? { label: predictions.labels[i], confidence: predictions.confidence[i] }
        : null,
    openInExplorer(index) {
      tell({ gallery: name, index, at: Date.now() });
      if (layer < view.layers) selectOnPage({ layer });
      openScreen("attention");
    },
  };
  const map = galleryMap({
    onpick: pick,
    onlasso: lasso,
    onclear: () => select([], ""),
    say: (i) => describe(i),
  });
  desk.map = map;
  const form = galleryForm(root, (next) => run(root, () => openGallery(next)));
  const side = chosenPicture(desk),
    sheet = pictureSheet(desk, select),
    second = secondMap(desk);
  const probes = probeChart({
    onlayer: (at, kind) => {
      features = kind;
      kinds.set(kind);
      setLayer(at);
    },
    onmethod: () => {
      askPredictions();
      sheet.again("mistakes");
      if (colour === "prediction") paint();
    },
  });
  const legend = groupLegend((group) => {
    if (group === null) select([], "");
    else {
      const indices = [...groupsNow()].flatMap((one, i) => (one === group ? [i] : []));
      select(indices, `${groupName(group)}: ${indices.length} pictures`);
      legend.press(group);
    }
  });
  const methods = choice("Map", Object.entries(METHODS), method, (value) => {
    method = value;
    keep("gallery.map", value === "pca" ? null : value);
    drawMap();
  });
  const colours = choice(
    "Colour",
    [
      ["label", "Labels"],
      ["cluster", "Clusters"],
      ["prediction", "Predictions"],
    ],
    "label",
    (value) => {
      colour = wished = value;
      keep("gallery.colour", value);
      paint();
    },
  );
  const layers = slider("Layer", {
    max: 11,
    value: 11,
    oninput: rafThrottle((value) => setLayer(value)),
  });
  const kinds = choice("Features", Object.entries(FEATURES), features, (value) => {
    features = value;
    setLayer(layer);
  });
  const clusterings = choice(
    "Clusters by",
    [
      ["kmeans", "k-means"],
      ["hdbscan", "HDBSCAN"],
    ],
    clustering,
    (value) => {
      clustering = value;
      clusterCount.input.disabled = value !== "kmeans";
      if (colour === "cluster") paint();
    },
  );
  const clusterCount = slider("Clusters", {
    min: 2,
    max: 30,
    value: k,
    oninput: rafThrottle((value) => {
      k = value;
      if (colour === "cluster") paint();
    }),
  });
  const nearCount = slider("Neighbours", {
    min: 1,
    max: 50,
    value: near,
    oninput: rafThrottle((value) => {
      near = value;
      if (side.index !== null) neighbours();
    }),
  });
  const search = el("input", {
    type: "search",
    placeholder: "Name or label",
    "aria-label": "Search by file name or label",
    oninput: () => find(search.value),
    onkeydown: (event) => {
      if (event.key === "Enter" && selection.indices.length) pick(selection.indices[0]);
    },
  });
  const tool = (text, title, onclick) =>
    el("button", {
      type: "button",
      class: "inside-button",
      text,
      title,
      "aria-label": title,
      onclick,
    });
  const lassoButton = tool(
    "Lasso",
    "Draw around pictures to select them (or drag with Shift)",
    () => {
      map.hand.lassoing = !map.hand.lassoing;
      lassoButton.setAttribute("aria-pressed", String(map.hand.lassoing));
    },
  );
  const faces = tool("Pictures", "Pictures instead of points, where there is room", () => {
    map.setPictures(!map.state.pictures);
    faces.setAttribute("aria-pressed", String(map.state.pictures));
  });
  const home = tool("Your picture", "Shows the explorer's picture on this map", () => {
    if (own !== null) {
      map.bring(own);
      pick(own);
    }
  });
  const tools = el(
    "div",
    { class: "inside-gallery-tools", role: "group", "aria-label": "The map" },
    lassoButton,
    faces,
    home,
    tool("−", "Further away", () => map.zoomAt(1 / 1.5)),
    tool("+", "Nearer", () => map.zoomAt(1.5)),
    tool("Whole", "The whole map", () => map.whole()),
  );
  const mapWords = el("p", { class: "inside-note inside-gallery-words", "aria-live": "polite" }),
    empty = el("div", { class: "inside-gallery-empty", hidden: true }, el("p"));
  const stage = el("div", { class: "inside-gallery-stage" }, map.node, tools, empty);
  const away = takeAway({
      ...desk,
      name: () => name,
      query,
      chosen: () => side.index ?? 0,
      near: () => side.near,
      points: () => points,
      command: () => command,
      count: () => near,
    }),
    { tellLesson } = away;
  const take = exportBar("gallery", {
    png: () => map.png(),
    npz: () => data.url("points", { ...query(), form: "npz" }),
    csv: away.csv,
    python: away.python,
  });
  root.append(
    form.node,
    el(
      "div",
      { class: "inside-controls inside-gallery-controls" },
      methods.node,
      colours.node,
      layers.node,
      search,
    ),
    el(
      "div",
      { class: "inside-columns gallery" },
      el("div", { class: "inside-left" }, stage, mapWords, legend.node),
      side.node,
    ),
    el("div", { class: "inside-columns gallery" }, sheet.node, probes.node),
    second.node,
    el(
      "details",
      { class: "inside-more" },
      el("summary", { text: "More" }),
      el(
        "div",
        { class: "inside-controls" },
        kinds.node,
        nearCount.node,
        clusterings.node,
        clusterCount.node,
      ),
      form.more,
    ),
    take.node,
  );

  // ---------- which gallery is open

  async function openGallery(next) {
    clearTimeout(wait);
    const mine = ++epoch,
      answer = await requestJson("galleries");
    if (mine !== epoch) return;
    form.list(answer);
    card = answer.galleries.find((one) => one.name === next) ?? null;
    if (!card && next !== "samples") {
      form.say(
        "That gallery is not on this server, or it is another visitor's: here are the samples.",
      );
      return openGallery("samples");
    }
    if (name !== next || !card) {
      gallery = data = null;
      name = next;
      keep("gallery", next === "samples" ? null : next);
    }
    if (card) {
      form.follow(card);
      await follow(mine);
    } else poll();
  }

  /* Loads what is there, and asks again while something is still being made. */
  async function follow(mine) {
    if (card.seen && !gallery) await load(mine);
    else if (!card.seen) waitHere();
    if (mine !== epoch) return;
    if (card.alive) poll();
  }

  function poll() {
    clearTimeout(wait);
    wait = setTimeout(async () => {
      if (!isOpen("gallery")) return;
      const mine = epoch;
      try {
        if (!card) return openGallery(name);
        const next = await requestJson(`galleries/${name}`);
        if (mine !== epoch) return;
        card = next;
        form.follow(card);
        await follow(mine);
      } catch (error) {
        form.say(
          error instanceof TypeError
            ? "The server does not answer. The gallery goes on without it."
            : sentenceOf(error),
        );
        poll();
      }
    }, 1000);
  }
  bus.on("screen", ({ name: opened }) => {
    if (opened !== "gallery") return;
    if (name)
      run(root, () =>
        gallery && !card?.alive ? Promise.resolve(map.redraw()) : openGallery(name),
      );
  });

  function waitHere() {
    empty.hidden = false;
    root.classList.add("without");
    empty.firstChild.textContent =
      card.state === "failed"
        ? "There is no map: this gallery could not be made."
        : card.alive
          ? "The map comes as soon as every picture has been seen by the model."
          : "It was stopped before every picture had been seen: let it go on, or choose another one.";
  }

  async function load(mine) {
    data = galleryData(name);
    const found = await data.ask("pictures"),
      from = data;
    if (mine !== epoch || found.waiting !== undefined) return;
    gallery = found;
    const { names, classes, layers: count } = gallery.facts;
    atlas = atlasOf(
      (number) => from.url(`atlas/${number}.jpg`),
      () => map.redraw(),
    );
    [xy, points, clusters, predictions, own, selection] = [
      null,
      null,
      null,
      null,
      null,
      { indices: [], words: "" },
    ];
    const wanted = Number.parseInt(kept("gallery.layer") ?? "", 10);
    layer = Number.isInteger(wanted) && wanted >= 0 && wanted < count ? wanted : count - 1;
    layers.limit(count - 1);
    layers.set(layer);
    k = Math.min(
      Math.max(classes.length || Math.min(Math.round(Math.sqrt(names.length)), 8), 2),
      names.length,
      30,
    );
    clusterCount.set(k);
    colour = !classes.length
      ? "cluster"
      : ["label", "cluster", "prediction"].includes(wished)
        ? wished
        : "label";
    for (const one of ["label", "prediction"])
      colours.node.querySelector(`[data-value=${one}]`).disabled = !classes.length;
    colours.set(colour);
    side.clear();
    search.value = "";
    empty.hidden = true;
    root.classList.remove("without");
    map.open(atlas, names.length, names.length <= FEW, card.title);
    faces.setAttribute("aria-pressed", String(names.length <= FEW));
    second.open(gallery);
    sheet.turn("unusual");
    command = "";
    requestJson(from.url("command")).then(
      (answer) => {
        if (from === data) {
          command = answer.command;
          take.refresh();
        }
      },
      () => {},
    );
    await drawMap();
    await paint();
    findOwn();
    askProbe();
    const linked = Number.parseInt(kept("gallery.pick") ?? "", 10);
    await pick(
      Number.isInteger(linked) && linked >= 0 && linked < names.length ? linked : 0,
      false,
    );
  }

  // ---------- the map

  function query() {
    return { features, layer, method };
  }
  let drawn = 0;

  async function drawMap() {
    if (!gallery) return;
    const mine = ++drawn,
      still = () => mine === drawn;
    methods.set(method);
    if (method !== "pca") {
      // PCA until the other one has been made
      const there = await data.ask("points", query());
      if (!still()) return;
      if (there.waiting !== undefined) {
        const flat = await data.ask("points", { ...query(), method: "pca" });
        if (still()) put(flat);
      }
    }
    const say = (text) => {
      mapWords.textContent = `${METHODS[method]} is on its way; until then this is PCA. ${text}`;
    };
    const settled = data.settle("points", query(), still, say).then((scene) => {
      if (scene) put(scene);
    });
    if (method === "pca") return settled;
    settled.catch((error) => {
      if (still()) {
        mapWords.textContent = sentenceOf(error);
        method = "pca";
        drawMap();
      }
    });
  }

  function put(scene) {
    points = scene;
    xy = scene.xy;
    map.setPoints(xy);
    second.again();
    const { method: made, facts } = scene.facts,
      { parameters = {}, seed, trustworthiness, explained, words } = facts;
    const chosen = Object.entries(parameters).map(
      ([key, value]) =>
        key.replaceAll("_", " ") +
        (value === true
          ? ""
          : ` ${typeof value === "number" ? Number(value.toPrecision(4)) : value}`),
    );
    if (explained)
      chosen.push(`${percent(explained[0])} and ${percent(explained[1])} of the variance`);
    if (seed !== null && seed !== undefined) chosen.push(`seed ${seed}`);
    if (trustworthiness !== null && trustworthiness !== undefined)
      chosen.push(`trustworthiness ${trustworthiness.toFixed(3)}`);
    mapWords.textContent = `${METHODS[made]}${chosen.length ? `: ${chosen.join(", ")}` : ""}. ${words ?? ""}`;
    tellLesson();
  }

  function setLayer(next) {
    layer = next;
    layers.set(next);
    kinds.set(features);
    keep("gallery.layer", next === gallery?.facts.layers - 1 ? null : next);
    keep("gallery.features", features === "cls" ? null : features);
    if (!gallery) return;
    probes.follow(layer, features);
    drawMap();
    if (colour !== "label") paint();
    askPredictions();
    if (side.index !== null) neighbours();
    sheet.again("unusual", "mistakes");
    take.refresh();
  }

  // ---------- colours

  const groupsNow = () =>
    colour === "cluster" && clusters
      ? clusters.labels
      : colour === "prediction" && predictions
        ? predictions.labels
        : gallery.labels;
  const groupName = (group) =>
    colour === "cluster"
      ? group < 0
        ? "In no cluster"
        : `Cluster ${group + 1}`
      : group < 0
        ? colour === "label"
          ? "No label"
          : "Not judged"
        : gallery.facts.classes[group];

  async function paint() {
    if (!gallery) return;
    const mine = ++coloured,
      still = () => mine === coloured,
      say = (text) => {
        legend.node.dataset.waiting = text;
      };
    colours.set(colour);
    try {
      if (colour === "cluster") {
        const found = await data.settle(
          "clusters",
          { method: clustering, k: clustering === "kmeans" ? k : null, features, layer },
          still,
          say,
        );
        if (!found) return;
        clusters = found;
      }
      if (colour === "prediction") {
        const found = await data.settle("predictions", desk.probeQuery(), still, say);
        if (!found) return;
        predictions = found;
      }
    } catch (error) {
      say(sentenceOf(error));
      map.setGroups(new Int32Array(gallery.facts.names.length).fill(-1));
      legend.node.replaceChildren();
      return;
    }
    delete legend.node.dataset.waiting;
    map.setGroups(groupsNow());
    legend.show(groupsNow(), colour === "cluster" ? [] : gallery.facts.classes, groupName(-1));
  }

  function describe(i) {
    const { names, classes } = gallery.facts,
      label = gallery.labels[i],
      group = groupsNow()[i];
    return [
      names[i],
      label >= 0 ? classes[label] : "",
      colour === "label"
        ? ""
        : colour === "cluster"
          ? groupName(group)
          : `${probes.methodName()}: ${groupName(group)}`,
    ]
      .filter(Boolean)
      .join("\n");
  }

  // ---------- choosing

  async function pick(index, remember = true) {
    if (!gallery) return;
    if (remember) keep("gallery.pick", index);
    map.mark({ pinned: index, near: [] });
    if (remember) map.bring(index);
    sheet.choose(index);
    take.refresh();
    try {
      await side.show(index);
    } catch (error) {
      form.say(sentenceOf(error));
    }
    if (side.index === index) {
      map.mark({ near: side.near ? [...side.near.indices] : [] });
      tellLesson();
    }
  }
  async function neighbours() {
    await side.neighbours();
    side.tellKind();
    map.mark({ near: [...side.near.indices] });
    tellLesson();
  }

  function lasso(indices, added) {
    if (added === "toggle")
      select(
        selection.indices.includes(indices[0])
          ? selection.indices.filter((i) => i !== indices[0])
          : [...selection.indices, ...indices],
        "",
      );
    else select(added === "add" ? [...new Set([...selection.indices, ...indices])] : indices, "");
  }

  function select(indices, words) {
    if (!gallery) return;
    selection = { indices, words };
    legend.press(null);
    const lit = indices.length ? new Uint8Array(gallery.facts.names.length) : null;
    for (const i of indices) lit[i] = 1;
    map.setLit(lit);
    sheet.turn("selection");
  }

  function find(text) {
    const wanted = text.trim().toLowerCase(),
      { names, classes } = gallery?.facts ?? { names: [] };
    if (!wanted) return select([], "");
    const found = names.flatMap((one, i) =>
      one.toLowerCase().includes(wanted) ||
      (gallery.labels[i] >= 0 && classes[gallery.labels[i]].toLowerCase().includes(wanted))
        ? [i]
        : [],
    );
    select(found, `${found.length} pictures with “${text.trim()}” in name or label`);
    if (!found.length) form.say(null);
  }

  /* The explorer's picture, where it is one of these. */
  async function findOwn() {
    if (!gallery || !view) return;
    const from = data;
    let found = name === "samples" ? gallery.facts.names.indexOf(view.sample) : null;
    if (found === null && view.key !== "first")
      found = (
        await requestJson(data.url("find", { key: view.key })).catch(() => ({ index: null }))
      ).index;
    if (from !== data) return;
    own = found === null || found < 0 ? null : found;
    map.mark({ own });
    home.disabled = own === null;
    home.title =
      own === null
        ? "The explorer's picture is not one of these"
        : "Shows the explorer's picture on this map";
  }

  // ---------- probes

  async function askProbe() {
    probes.follow(layer, features);
    if (!gallery.facts.classes.length) {
      probes.none("Probes need labels: a folder for each class in the zip.", true);
      return;
    }
    const from = data,
      still = () => from === data;
    try {
      for (;;) {
        const found = await from.settle("probe", {}, still, (text) => probes.none(text));
        if (!found) return;
        probes.show(found);
        askPredictions();
        if (found.facts.complete) return;
        await new Promise((done) => setTimeout(done, 2500));
        from.forget("probe", {});
      }
    } catch (error) {
      probes.none(sentenceOf(error), true);
    }
  }

  async function askPredictions() {
    if (!gallery?.facts.classes.length || !probes.probe) return;
    const asked = JSON.stringify(desk.probeQuery()),
      from = data;
    const still = () => from === data && asked === JSON.stringify(desk.probeQuery());
    const found = await from.settle("predictions", desk.probeQuery(), still).catch(() => null);
    if (!still()) return;
    predictions = found;
    side.tellKind();
  }

  // ---------- what may be read off this screen

  const list = (array) => [...(array ?? [])];
  root.inside = {
    get gallery() {
      return name;
    },
    get state() {
      return card?.state ?? null;
    },
    get seen() {
      return Boolean(gallery && xy);
    },
    get problem() {
      return form.problem;
    },
    get count() {
      return gallery?.facts.names.length ?? 0;
    },
    get names() {
      return gallery?.facts.names ?? [];
    },
    get classes() {
      return gallery?.facts.classes ?? [];
    },
    get labels() {
      return list(gallery?.labels);
    },
    get made() {
      return points ? [points.facts.features, points.facts.layer, points.facts.method] : null;
    },
    get layer() {
      return layer;
    },
    get features() {
      return features;
    },
    get method() {
      return method;
    },
    get colour() {
      return colour;
    },
    get groups() {
      return gallery && xy ? list(groupsNow()) : [];
    },
    get predicted() {
      return Boolean(predictions);
    },
    get own() {
      return own;
    },
    get chosen() {
      return side.index;
    },
    get near() {
      return side.state;
    },
    get selection() {
      return selection.indices;
    },
    get map() {
      return map.state;
    },
    get sheet() {
      return sheet.state;
    },
    get probe() {
      return probes.state;
    },
    get second() {
      return second.state;
    },
    place: (i) => map.screen(i), // where a picture is on the map, px
  };

  return {
    async show(next) {
      const before = view?.key;
      view = next;
      form.fit(view);
      if (name === null || !card) await openGallery(name ?? kept("gallery") ?? "samples");
      else if (before !== view.key) await findOwn();
    },
  };
}
