/* What was decided for a crop, in words, as a table and as Python. */
import { percent } from "../../ui/format.js";

const OPERATIONS = {
  brightness: (p) => `brightness × ${p.factor.toFixed(2)}`,
  contrast: (p) => `contrast × ${p.factor.toFixed(2)}`,
  saturation: (p) => `saturation × ${p.factor.toFixed(2)}`,
  hue: (p) => `hue ${p.shift >= 0 ? "+" : "−"}${Math.abs(360 * p.shift).toFixed(0)}°`,
  grey: () => "grey",
  blur: (p) => `blur σ ${p.sigma.toFixed(2)} px`,
  solarize: (p) => `solarise ≥ ${p.threshold}`,
};

/* Everything that happened after the resize, in its order. */
export const steps = (crop) => [
  ...(crop.flipped ? ["flip"] : []),
  ...crop.operations.map((operation) => OPERATIONS[operation.name](operation)),
];

export const nameOf = (crop) => `${crop.kind} ${crop.index + 1}`;
export const shortName = (crop) => `${crop.kind[0].toUpperCase()}${crop.index + 1}`;
export const capital = (text) => text[0].toUpperCase() + text.slice(1);

export function describe(crop, patches) {
  const [x0, y0, x1, y1] = crop.box,
    after = steps(crop);
  return (
    `${capital(nameOf(crop))}: x ${x0} to ${x1}, y ${y0} to ${y1}, so ${x1 - x0} × ${y1 - y0} px, ${percent(crop.area_fraction)} of the picture, ` +
    `aspect ${crop.aspect.toFixed(2)}. Resized to ${crop.size} × ${crop.size} px, ${patches} × ${patches} patches; then ${after.length ? after.join(", ") : "nothing else"}.`
  );
}

/* One line a crop; an operation that did not fire leaves its place empty. */
export function csv(crops) {
  const strengths = {
    brightness: "factor",
    contrast: "factor",
    saturation: "factor",
    hue: "shift",
    grey: null,
    blur: "sigma",
    solarize: "threshold",
  };
  const lines = [
    `crop,x0,y0,x1,y1,area_fraction,aspect,size,flip,${Object.keys(strengths).join(",")},order`,
  ];
  for (const crop of crops) {
    const fired = Object.fromEntries(
      crop.operations.map((operation) => [operation.name, operation]),
    );
    const values = Object.entries(strengths).map(([name, key]) =>
      fired[name] ? (key ? fired[name][key] : 1) : "",
    );
    lines.push(
      [
        nameOf(crop),
        ...crop.box,
        crop.area_fraction,
        crop.aspect,
        crop.size,
        Number(crop.flipped),
        ...values,
        crop.operations.map(({ name }) => name).join(" "),
      ].join(","),
    );
  }
  return lines.join("\n") + "\n";
}

/* The same crops with the library: only what differs from its own choice is spelt out. */
export function python({ config, official, blur }, view) {
  const named = blur === "as run" ? "BLUR_AS_RUN" : "BLUR_AS_WRITTEN",
    fields = [`blur_probability=${named}`];
  for (const field of ["global_scale", "local_scale"])
    if (String(config[field]) !== String(official[field]))
      fields.push(`${field}=(${config[field].join(", ")})`);
  for (const field of ["global_size", "local_size", "local_count"])
    // 98 px: the library's choice, for patches of 14 px
    if (config[field] !== official[field] || (field === "local_size" && config[field] !== 98))
      fields.push(`${field}=${config[field]}`);
  const file = view.sample ? `static/samples/${view.sample}` : "picture.jpg";
  return `import torch

from dino_core import open_picture, sample_crops
from dino_core.config import ${named}, CropConfig

picture = open_picture("${file}")
config = CropConfig(${fields.join(", ")})
crops = sample_crops(picture, config, torch.Generator().manual_seed(${view.seed}))
for crop in crops:  # crop.pixels is uint8 [size, size, 3]
    print(crop.kind, crop.index + 1, crop.box, crop.flipped, *crop.operations)`;
}
