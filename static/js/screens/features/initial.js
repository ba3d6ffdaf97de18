/* What the ways of looking begin with. */
import { takeWanted } from "../../page/checkpoints.js";
import { kept } from "../../page/link.js";
import { initialColours } from "./colours/state.js";
import { initialCompare } from "./compare/state.js";
import { MODES } from "./controls.js";
import { initialDepth } from "./depth/state.js";
import { initialMap } from "./map/state.js";
import { initialPair } from "./pair/state.js";

export function initialParts() {
  const wanted = takeWanted(), // before this screen was there
    mode = wanted === null ? MODES.find(([name]) => name === kept("features"))?.[0] : "compare";
  return {
    mode: mode ?? "colours",
    colours: initialColours(),
    depth: initialDepth(),
    pair: initialPair(),
    map: initialMap(),
    compare: initialCompare(wanted),
  };
}
