/* Two pictures as a tiny model sees them: what the answers in answers/ are of. Colours as the page has. */
import { settings } from "../settings.js";

const ramp = (at) => Array.from({ length: 256 }, (_, i) => at(i));
Object.assign(settings.colours, {
  magma: ramp((i) => [i, i >> 1, 255 - i]),
  viridis: ramp((i) => [255 - i, i, i >> 1]),
  "blue-red": ramp((i) => [i, 128, 255 - i]),
});
settings.presets = [
  ["paper", "Paper"],
  ["all-patches", "All patches"],
];
settings.screens = [
  "crops",
  "masks",
  "tokens",
  "attention",
  "features",
  "whatif",
  "losses",
  "update",
  "step",
  "training",
  "tray",
  "gallery",
].map((name) => [name, name[0].toUpperCase() + name.slice(1)]);

const shared = {
  model: "tiny",
  weights: "tiny.safetensors",
  patch_size: 14,
  layers: 3,
  heads: 2,
  registers: 1,
  dim: 12,
  note: "",
};

export const PICTURES = [
  {
    ...shared,
    key: "a".repeat(32),
    size: 56,
    sample: "coffee.jpg",
    seed: 0,
    source_size: [600, 400],
    input_size: [84, 56],
    grid: [4, 6],
    short_side: 56,
  },
  {
    ...shared,
    key: "b".repeat(32),
    size: 70,
    sample: "cat.jpg",
    seed: 3,
    source_size: [451, 300],
    input_size: [112, 70],
    grid: [5, 8],
    short_side: 70,
  },
];
