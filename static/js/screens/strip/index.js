/* The strip: every step of the data's way as a small picture; the page's table of contents. */
import { fetchScene, sceneUrl } from "../../page/scenes.js";
import { openScreen } from "../../page/screens.js";
import { settings } from "../../settings.js";
import { paintMap, paintRgb } from "../../ui/canvas.js";
import { el } from "../../ui/dom.js";
export function create(root) {
  const STEPS = settings.screens; // [[name, title], ...]
  const tabs = STEPS.map(([name, title]) => {
    const image = el("img", { alt: "", draggable: "false" }),
      canvas = el("canvas");
    const tab = el(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${name}`,
        "data-screen": name,
        "aria-controls": `screen-${name}`,
        onclick: () => openScreen(name),
      },
      el("span", { class: "inside-thumb" }, image, canvas),
      el("span", { text: title }),
    );
    return { name, tab, image, canvas };
  });
  root.classList.add("inside-strip");
  root.setAttribute("role", "tablist");
  root.setAttribute("aria-label", "Screens, in the order of the data's way");
  root.append(...tabs.map(({ tab }) => tab));
  root.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key],
      at = tabs.findIndex(({ tab }) => tab === document.activeElement);
    if (!step || at < 0) return;
    const next = tabs[(at + step + tabs.length) % tabs.length];
    next.tab.focus();
    openScreen(next.name);
    event.preventDefault();
  });

  /* A veil over the picture, for steps that are not about a place in it; they are sketched on top. */
  function veil(canvas) {
    canvas.width = 150;
    canvas.height = 100;
    const pen = canvas.getContext("2d");
    pen.fillStyle = "rgb(17 24 39 / 0.72)";
    pen.fillRect(0, 0, 150, 100);
    return pen;
  }

  function curve(canvas, values) {
    const pen = veil(canvas),
      x = (i) => 14 + (i * 122) / (values.length - 1),
      y = (value) => 84 - 66 * value;
    pen.strokeStyle = "#fff";
    pen.lineWidth = 3;
    pen.beginPath();
    values.forEach((value, i) => (i ? pen.lineTo(x(i), y(value)) : pen.moveTo(x(i), y(value))));
    pen.stroke();
  }

  const PAINT = {
    crops(canvas, scene) {
      const [W, H] = scene.facts.picture_size;
      const scale = 160 / Math.max(W, H),
        pen = canvas.getContext("2d");
      canvas.width = Math.round(W * scale);
      canvas.height = Math.round(H * scale);
      scene.facts.boxes.forEach(([x0, y0, x1, y1], i) => {
        pen.strokeStyle = `rgb(${scene.facts.colours[i]})`;
        pen.lineWidth = i < 2 ? 4 : 2;
        pen.strokeRect(x0 * scale, y0 * scale, (x1 - x0) * scale, (y1 - y0) * scale);
      });
    },
    masks(canvas, scene) {
      const [h, w] = scene.shapes.mask,
        [side] = scene.shapes.crop,
        edge = (i, n) => Math.round((i * side) / n);
      paintRgb(canvas, scene.crop, side, side);
      const pen = canvas.getContext("2d");
      pen.fillStyle = "rgb(99 101 158)"; // the mask token, as on its screen
      scene.mask.forEach((hidden, i) => {
        const row = Math.floor(i / w),
          col = i % w;
        if (hidden)
          pen.fillRect(
            edge(col, w),
            edge(row, h),
            edge(col + 1, w) - edge(col, w),
            edge(row + 1, h) - edge(row, h),
          );
      });
    },
    tokens(canvas, scene) {
      const [h, w] = scene.shapes.norms;
      paintMap(canvas, scene.norms, {
        offset: 0,
        grid: [h, w],
        low: Math.min(...scene.norms),
        high: Math.max(...scene.norms),
        colours: "magma",
      });
    },
    attention(canvas, scene) {
      const [h, w] = scene.shapes.attention;
      paintMap(canvas, scene.attention, {
        offset: 0,
        grid: [h, w],
        low: 0,
        high: Math.max(...scene.attention),
      });
    },
    features(canvas, scene) {
      const [h, w] = scene.shapes.features;
      paintRgb(canvas, scene.features, h, w);
    },
    losses(canvas) {
      // what the teacher says of a few prototypes, and the student
      const pen = veil(canvas);
      [
        [52, 34],
        [30, 44],
        [20, 12],
        [8, 22],
        [5, 9],
      ].forEach((pair, i) =>
        pair.forEach((height, side) => {
          pen.fillStyle = side ? "#fdba74" : "#a5b4fc";
          pen.fillRect(16 + 25 * i + 9 * side, 84 - height, 8, height);
        }),
      );
    },
    update(canvas) {
      curve(
        canvas,
        Array.from({ length: 60 }, (_, i) =>
          i < 7 ? i / 7 : 0.5 + 0.5 * Math.cos((Math.PI * (i - 7)) / 52),
        ),
      );
    },
    training(canvas) {
      curve(
        canvas,
        Array.from(
          { length: 60 },
          (_, i) => 0.12 + 0.8 * Math.exp(-i / 16) + 0.05 * Math.sin(1.7 * i) * Math.exp(-i / 40),
        ),
      );
    },
    gallery(canvas) {
      // groups of pictures on a map
      const pen = veil(canvas),
        golden = 2.39996;
      [
        [40, 38, "#a5b4fc"],
        [106, 30, "#fdba74"],
        [84, 72, "#5eead4"],
      ].forEach(([x, y, colour]) => {
        pen.fillStyle = colour;
        for (let i = 0; i < 12; i++) {
          pen.beginPath();
          pen.arc(
            x + 6.2 * Math.sqrt(i) * Math.cos(golden * i),
            y + 5.2 * Math.sqrt(i) * Math.sin(golden * i),
            3.2,
            0,
            7,
          );
          pen.fill();
        }
      });
    },
  };

  return {
    async show(view) {
      const scene = await fetchScene(sceneUrl(view.key, "strip", { seed: view.seed }));
      for (const { name, image, canvas } of tabs) {
        image.src = sceneUrl(view.key, "thumb.jpg");
        PAINT[name]?.(canvas, scene);
      }
      root.inside = { key: view.key, seed: view.seed };
    },
  };
}
