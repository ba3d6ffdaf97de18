/* What can be taken from the screen: always of what it shows. */
import { NotShownYet } from "../../page/errors.js";
import { exportBar } from "../../page/export.js";
import { openInPython } from "../../page/python.js";
import { selection } from "../../page/selection.js";
import { el, penOf } from "../../ui/dom.js";
import { addressOf } from "./loading.js";
import { meanOfHeads } from "./numbers.js";
import { SAMPLES } from "./references.js";

/** @typedef {import("./state.js").Shown} Shown */

const SHEET = { width: 420, gap: 20, line: 30 }; // px, of each map on the sheet

/**
 * @param {import("./state.js").State} state
 * @param {ReturnType<typeof import("./results.js").createResults>["panels"]} panels
 */
export const createExports = (state, panels) =>
  exportBar("whatif", {
    png: () => sheet(panels),
    npz: () => {
      const now = shown(state);
      return addressOf(now, "", { layer: now.scene.facts.layer, form: "npz" });
    },
    csv: () => table(shown(state)),
    figure(query) {
      const now = shown(state),
        { layer, heads } = now.scene.facts,
        { head } = selection;
      if (head === null || head >= heads) return addressOf(now, "print", { layer, ...query });
      return addressOf(now, "print", { layer, head, ...query });
    },
    python: () => pythonLines(shown(state)),
  });

/** @param {import("./state.js").State} state */
function shown(state) {
  if (!state.shown) throw new NotShownYet();
  return state.shown;
}

/** The five maps with their titles, on white. @param {Parameters<typeof createExports>[1]} panels */
function sheet(panels) {
  const { attentionBefore, coloursBefore, attentionAfter, coloursAfter, change } = panels,
    rows = [
      [attentionBefore, coloursBefore],
      [attentionAfter, coloursAfter, change],
    ];
  const { overlay } = change.picture,
    { width, gap, line } = SHEET,
    height = Math.round((width * overlay.height) / overlay.width);
  const canvas = el("canvas", { width: 3 * (width + gap) - gap, height: 2 * (height + line) });
  const pen = penOf(canvas);
  pen.fillStyle = "white";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingEnabled = false;
  pen.fillStyle = "#111827";
  pen.font = "16px system-ui, sans-serif";
  rows.forEach((row, j) =>
    row.forEach(({ picture, title }, i) => {
      const x = i * (width + gap),
        y = j * (height + line);
      pen.drawImage(picture.overlay, x, y + line, width, height);
      pen.fillText(title, x, y + line - 9);
    }),
  );
  return canvas;
}

/** A line a patch. @param {Shown} shown */
function table({ scene }) {
  const [h, w] = scene.facts.grid,
    P = h * w,
    before = meanOfHeads(scene.attention_before, P),
    after = meanOfHeads(scene.attention_after, P);
  const lines = ["row,column,cosine,attention_before,attention_after"];
  for (let i = 0; i < P; i++)
    lines.push([Math.floor(i / w), i % w, scene.patch_cosine[i], before[i], after[i]].join(","));
  return `${lines.join("\n")}\n`;
}

/** @param {Shown} shown */
export function pythonLines({ view, texts, reference, scene }) {
  const changes = texts.map((text) => `\n    ${JSON.stringify(text)},`).join("");
  const isOwn = reference !== SAMPLES;
  return `${openInPython(view)}
from dino_core.scenes.whatif import changed, parse_changes, sources_of, whatif_scene
${isOwn ? "from dino_core.scenes.whatif_pictures import reference_pictures\n" : ""}
changes = parse_changes([${changes}${changes ? "\n" : ""}])
${
  isOwn
    ? `pictures = reference_pictures("galleries/again")  # built by the command gallery
sources = sources_of(backbone, seen, changes, seed=${view.seed}, pictures=pictures)`
    : `sources = sources_of(backbone, seen, changes, seed=${view.seed})  # the samples are the reference`
}
found = changed(backbone.vit, seen, changes, sources)
scene = whatif_scene(found, changes, layer=${scene.facts.layer})
print(scene.cls_cosine, scene.patch_cosine_mean)
print(found.cls_cosine_by_layer)`;
}
