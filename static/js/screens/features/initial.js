/* What the ways of looking begin with. */
import { kept } from "../../page/link.js";
import { initialColours } from "./colours/state.js";
import { initialCompare } from "./compare/state.js";
import { MODES } from "./controls.js";
import { initialMap } from "./map/state.js";
import { initialPair } from "./pair/state.js";

export function initialParts() {
  const mode = MODES.find(([name]) => name === kept("features"))?.[0] ?? "colours";
  return {
    mode,
    colours: initialColours(),
    pair: initialPair(),
    map: initialMap(),
    compare: initialCompare(),
  };
}
