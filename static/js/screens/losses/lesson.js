/* The visitor's own numbers in the lesson. */
import { fillLesson } from "../../page/lesson.js";
import { GLOBALS } from "./arithmetic.js";
import { nats, signed, uniformLoss } from "./format.js";
import { totalOf } from "./total.js";

/** @param {import("./state.js").LossesScene} scene */
export function fillLossesLesson(scene) {
  const { facts } = scene,
    { terms, crops } = facts;
  fillLesson("losses", {
    k: facts.prototypes[0],
    lnk: uniformLoss(scene, 0).toFixed(2),
    hot: facts.temperature,
    soft: facts.student_temperature,
    by: facts.targets_by === "centering" ? "centring" : "Sinkhorn-Knopp",
    batch: facts.references.length + 1,
    pairs: 2 + 2 * (crops.length - GLOBALS),
    crops: crops.length,
    m: scene.ibot.length,
    dino: (terms.dino_global + terms.dino_local).toFixed(3),
    ibot: facts.ibot_mean.toFixed(3),
    koleo: facts.koleo.map((value) => signed(value)).join(" and "),
    total: totalOf(scene).toFixed(3),
    entropy: nats(scene.teacher_entropy[0]),
  });
}
