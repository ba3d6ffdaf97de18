/* The tools of a chart: zoom, logarithms, and the chart as a file. */
import { downloadBlob } from "../page/export.js";
import { el } from "../ui/dom.js";

/** @typedef {import("../types/plotly").Chart} Chart */
/** @typedef {import("../types/plotly").PlotElement} PlotElement */
/** @typedef {import("../types/plotly").ModeBarButton} ModeBarButton */

const EXPORT_SCALE = 2;

const LETTERS = { width: 1000, height: 1000 };
const PNG_ICON = {
  ...LETTERS,
  path: "M100 150h800v700H100zM180 230v460l200-220 140 150 120-130 180 200V230zM660 300a70 70 0 1 1-1 0z",
};
const SVG_ICON = {
  ...LETTERS,
  path:
    "M120 760a90 90 0 1 1 130 80q-60 30-110-20zM250 720Q320 260 700 240l10 80Q400 340 330 " +
    "740zM700 200a90 90 0 1 1-1 0z",
};
const LOG_ICON = {
  ...LETTERS,
  path: "M120 120h70v690h690v70H120zM260 720Q300 330 860 300v70Q370 400 330 720z",
};

/** @param {Chart} chart @returns {(string | ModeBarButton)[]} */
export function toolsOf({ layout }) {
  /** @type {ModeBarButton[]} */
  const save = [
    { name: "png", title: "Save as PNG", icon: PNG_ICON, click: (one) => download(one, "png") },
    { name: "svg", title: "Save as SVG", icon: SVG_ICON, click: (one) => download(one, "svg") },
  ];
  /** @type {ModeBarButton} */
  const log = {
    name: "log",
    title: "Heights as logarithms, or not",
    icon: LOG_ICON,
    click: (one) =>
      globalThis.Plotly?.relayout(one, {
        "yaxis.type": one.layout.yaxis?.type === "log" ? "linear" : "log",
        "yaxis.autorange": true,
      }),
  };
  return [...(layout.meta.log ? [log] : []), "zoom2d", "pan2d", "resetScale2d", ...save];
}

/**
 * The chart of a place as a picture, for a file or for a sheet of several.
 *
 * @param {HTMLElement} place
 * @param {"png" | "svg"} format
 * @returns {Promise<string>} data URL
 */
async function imageOf(place, format) {
  const plotly = globalThis.Plotly;
  if (!plotly) throw new Error("Nothing has been drawn yet.");
  const { data, layout } = /** @type {PlotElement} */ (place),
    card = getComputedStyle(place).getPropertyValue("--inside-card").trim() || "#fff";
  return plotly.toImage(
    { data, layout: { ...layout, paper_bgcolor: card, plot_bgcolor: card } },
    {
      format,
      width: place.offsetWidth,
      height: place.offsetHeight,
      ...(format === "png" ? { scale: EXPORT_SCALE } : {}),
    },
  );
}

/** @param {PlotElement} place @param {"png" | "svg"} format */
async function download(place, format) {
  const image = await fetch(await imageOf(place, format));
  const name = place.layout.meta.title.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  downloadBlob(`${name}.${format}`, await image.blob());
}

/**
 * Several charts on one sheet, so many in a row.
 *
 * @param {readonly HTMLElement[]} charts
 * @param {number} columns
 */
export async function sheetOf(charts, columns) {
  const shown = charts.filter((place) => place.offsetWidth && place.hasAttribute("data-drawn"));
  const images = await Promise.all(
    shown.map(async (place) => {
      const image = new Image();
      image.src = await imageOf(place, "png");
      await image.decode();
      return image;
    }),
  );
  const width = Math.max(1, ...images.map((image) => image.width)),
    height = Math.max(1, ...images.map((image) => image.height)),
    across = Math.min(columns, Math.max(images.length, 1));
  const sheet = el("canvas", {
      width: across * width,
      height: Math.max(1, Math.ceil(images.length / columns)) * height,
    }),
    context = sheet.getContext("2d");
  if (context && shown[0]) {
    context.fillStyle = getComputedStyle(shown[0]).getPropertyValue("--inside-card").trim();
    context.fillRect(0, 0, sheet.width, sheet.height);
  }
  images.forEach((image, i) =>
    context?.drawImage(image, (i % columns) * width, Math.floor(i / columns) * height),
  );
  return sheet;
}
