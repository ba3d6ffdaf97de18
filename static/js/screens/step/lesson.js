/* The visitor's own numbers in the lesson. */
import { fillLesson } from "../../page/lesson.js";
import { percent, short, signed } from "../../ui/format.js";
import { sumOf } from "./arithmetic.js";
import { TERMS } from "./tables.js";
import { meanShares } from "./words.js";

/** @param {import("./state.js").StepScene} scene */
export function fillStepLesson(scene) {
  const { facts } = scene,
    shares = meanShares(scene),
    backbone = facts.kept.backbone;
  fillLesson("step", {
    pictures: facts.pictures,
    before: signed(sumOf(facts.before), 3),
    after: signed(sumOf(facts.after), 3),
    rate: short(facts.values.learning_rate),
    length: short(facts.norms.backbone),
    clip: facts.clip ?? "any length",
    kept: percent(backbone, backbone < 0.1 ? 1 : 0),
    shares: facts.terms.map((name, i) => `${TERMS[name]} ${percent(shares[i], 0)}`).join(", "),
    momentum: facts.values.momentum.toFixed(4),
  });
}
