/* Three ways to bring a picture to whole patches, drawn in one scale from the source. */
import { el } from "../../ui/dom.js";
const TITLES = { resize: "Resize, as used here", pad: "Pad", crop: "Crop" };

/* Fills `place` with a figure for each way in facts.fits; `source` is the picture as it came. */
export function paintFits(place, facts, source) {
  const {
    fits: ways,
    source_size: [W, H],
  } = facts;
  const extent = (way, axis) =>
    Math.max(way.input_size[axis], way.how === "crop" ? [W, H][axis] * way.scale[axis] : 0);
  const frame = [0, 1].map((axis) =>
    Math.max(...ways.filter((way) => way.input_size).map((way) => extent(way, axis))),
  );
  place.replaceChildren(
    ...ways.map((way) => {
      const canvas = el("canvas", {
        class: "smooth",
        role: "img",
        "aria-label": `${TITLES[way.how]}: ${way.words}`,
      });
      if (way.input_size) drawFit(canvas, way, frame, facts, source);
      return el(
        "figure",
        {},
        canvas,
        el(
          "figcaption",
          {},
          el("b", { text: TITLES[way.how] }),
          el("span", {
            text: way.input_size ? `${way.input_size.join(" × ")} px` : "not possible",
          }),
          el("span", { text: way.input_size ? `${way.grid[0]} × ${way.grid[1]} patches` : "" }),
          el("span", { text: way.words }),
        ),
      );
    }),
  );
}

/* The source as this way places it; what is cut away stays faint, what is filled up is grey. */
function drawFit(canvas, way, frame, { source_size: [W, H], patch_size: p }, source) {
  const k = 480 / Math.max(...frame),
    pen = canvas.getContext("2d"),
    [w, h] = way.input_size;
  canvas.width = Math.round(frame[0] * k);
  canvas.height = Math.round(frame[1] * k);
  pen.scale(k, k);
  if (way.how === "crop") pen.translate(-way.offset[0], -way.offset[1]);
  if (way.how === "pad") {
    pen.fillStyle = "rgb(124 116 104)";
    pen.fillRect(0, 0, w, h);
  }
  const draw = () =>
    pen.drawImage(source, way.offset[0], way.offset[1], W * way.scale[0], H * way.scale[1]);
  if (way.how === "crop") {
    pen.globalAlpha = 0.25;
    draw();
    pen.globalAlpha = 1;
  }
  pen.save();
  pen.beginPath();
  pen.rect(0, 0, w, h);
  pen.clip();
  draw();
  pen.restore();
  pen.strokeStyle = "rgb(255 255 255 / 0.4)";
  pen.lineWidth = 1 / k;
  pen.beginPath();
  for (let x = p; x < w; x += p) {
    pen.moveTo(x, 0);
    pen.lineTo(x, h);
  }
  for (let y = p; y < h; y += p) {
    pen.moveTo(0, y);
    pen.lineTo(w, y);
  }
  pen.stroke();
}
