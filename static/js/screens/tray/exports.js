/* What can be taken of the tray. */
import { NotShownYet } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { loadInPython } from "../../page/python.js";
import { flatten } from "../../ui/canvas.js";
import { el, penOf } from "../../ui/dom.js";
import { inPython } from "./colouring.js";
import { titleOf } from "./columns.js";
import { trayQuery } from "./loading.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Shown} Shown */

const CELL = 220, // px of a column on the sheet
  GAP = 10,
  LINE = 18;

/**
 * @param {State} state
 * @param {() => import("../../ui/patch-picture.js").PatchPicture[][]} cells
 */
export const createExports = (state, cells) =>
  exportBar("tray", {
    png: () => sheet(shown(state), cells()),
    npz: () => `tray/filled?${trayQuery(state, { form: "npz" })}`,
    csv: () => tableOf(shown(state)),
    figure: (query) => `tray/print?${trayQuery(state, query)}`,
    python: () => pythonLines(shown(state), state),
  });

/** @param {State} state */
function shown(state) {
  if (!state.shown) throw new NotShownYet();
  return state.shown;
}

/**
 * All cells as one canvas, with the names of rows and columns.
 *
 * @param {Shown} shown
 * @param {readonly (readonly import("../../ui/patch-picture.js").PatchPicture[])[]} cells
 */
function sheet({ scene, rows, columns }, cells) {
  const tall = scene.facts.grids.map(([h, w]) => Math.round((CELL * h) / w));
  const height = 2 * LINE + tall.reduce((sum, one) => sum + one + LINE + GAP, GAP);
  const canvas = el("canvas", { width: columns.length * (CELL + GAP) + GAP, height });
  const pen = penOf(canvas);
  pen.fillStyle = "white";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "black";
  pen.font = "13px sans-serif";
  columns.forEach((_, column) =>
    titleOf(scene.facts.columns[column], scene.facts.models).forEach((words, line) =>
      pen.fillText(words, GAP + column * (CELL + GAP), (line + 1) * LINE - 3, CELL),
    ),
  );
  let top = 2 * LINE + GAP;
  rows.forEach(({ name }, row) => {
    pen.fillText(`${row}  ${name}`, GAP, top + LINE - 5);
    cells[row].forEach(({ picture, overlay }, column) => {
      const left = GAP + column * (CELL + GAP);
      pen.drawImage(flatten(picture, overlay, 1, 2 * CELL), left, top + LINE, CELL, tall[row]);
    });
    top += tall[row] + LINE + GAP;
  });
  return canvas;
}

/** A line a row, with the number of each column. @param {Shown} shown */
export function tableOf({ scene, rows }) {
  const columns = scene.facts.columns.filter(({ numbers }) => numbers.length);
  const quoted = (/** @type {string} */ text) => `"${text.replaceAll('"', '""')}"`;
  const { models } = scene.facts,
    of = (/** @type {number} */ model) => (models.length > 1 ? ` of ${models[model]}` : "");
  const names = columns.map(({ word, view, model, says }) =>
    quoted(`${word}${view === "difference" ? ` to ${models[1]}` : of(model)}: ${says}`),
  );
  const lines = rows.map(({ name }, row) =>
    [quoted(name), ...columns.map(({ numbers }) => numbers[row])].join(","),
  );
  return `${[["picture", ...names].join(","), ...lines].join("\n")}\n`;
}

/** @param {Shown} shown @param {Pick<State, "opened" | "colouring">} state */
export function pythonLines({ scene, rows, others, view }, { opened, colouring }) {
  const files = rows.map(({ id, name }) =>
    JSON.stringify(id.startsWith("sample/") ? `static/samples/${name}` : name),
  );
  const models = [
    loadInPython(view),
    ...others.map((model) => loadInPython({ model, ...opened[model] })),
  ];
  const words = scene.facts.columns.map(({ word }) => JSON.stringify(word));
  const chosen = inPython(colouring);
  const imports = [
    chosen.includes("replace(") ? "from dataclasses import replace\n\n" : "",
    "from dino_core import figures, fit_to_patches, inspect, load_backbone, open_picture, to_tensor\n",
    `from dino_core.analysis.tray import ${chosen ? "TraySettings, " : ""}fill_tray\n`,
    "from dino_core.analysis.tray_columns import column_of\n",
    chosen.includes("PCA_PRESETS") ? "from dino_core.config import PCA_PRESETS\n" : "",
  ];
  return `${imports.join("")}

backbones = [${models.join(", ")}]
pictures = [${files.join(", ")}]
columns = [column_of(word) for word in (${words.join(", ")},)]


def look(row):  # a picture, seen by each model
    source = open_picture(pictures[row])
    fitted = [fit_to_patches(source, b.vit.config.patch_size, ${view.size}) for b in backbones]
    return [inspect(b.vit, to_tensor(f.picture)) for b, f in zip(backbones, fitted)]


tray = fill_tray(len(pictures), look, columns${chosen ? `, ${chosen}` : ""})
for one in tray.columns:
    print(one.column.word, one.limits, one.says, one.numbers)
figure = figures.tray(tray, pictures)  # a notebook shows it; figures.save(figure, "tray.pdf")`;
}
