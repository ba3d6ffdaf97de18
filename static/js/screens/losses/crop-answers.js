/* What student and teacher say of one pair of crops, in words and bars. */
import { best, GLOBALS } from "./arithmetic.js";
import { createAnswers } from "./answers.js";
import { paintCropExample } from "./examples.js";
import { nats, uniformLoss } from "./format.js";
import { shownPair } from "./state.js";

/** @typedef {import("./state.js").Loaded} Loaded */

export function createCropAnswers() {
  const panel = createAnswers(),
    { title, bars, caption, facts } = panel;
  return {
    caption,
    node: panel.node,

    /** @param {Loaded} state */
    draw(state) {
      const { scene } = state,
        [s, t] = shownPair(state),
        { crops, prototypes } = scene.facts;
      const answers = answersOf(scene, s, t),
        value = scene.dino[s * GLOBALS + t],
        entropy = scene.teacher_entropy[t];
      title.textContent = `What they say: teacher of ${crops[t].name}, student of ${crops[s].name}`;
      bars.draw({ ...answers, prototypes: prototypes[0] }, (node, which) =>
        paintCropExample(node, state, which),
      );
      caption.textContent =
        `Student ${crops[s].name} against teacher ${crops[t].name}: ${nats(value)}, ` +
        `${againstUniform(value, uniformLoss(scene, 0))}. ` +
        likeliest(answers);
      facts.textContent =
        `Of these ${nats(value)}, ${nats(entropy)} are the target's own entropy, which no ` +
        "student gets below; " +
        `${nats(value - entropy)} are the distance to it (Kullback-Leibler). The student's own ` +
        `entropy is ${nats(scene.student_entropy[s])}.`;
    },
  };
}

/** @param {import("./state.js").LossesScene} scene @param {number} s @param {number} t */
function answersOf(scene, s, t) {
  const C = scene.columns.length;
  return {
    columns: scene.columns,
    teacher: scene.teacher.subarray(t * C, (t + 1) * C),
    student: scene.student.subarray(s * C, (s + 1) * C),
  };
}

/** @param {number} value @param {number} uniform */
const againstUniform = (value, uniform) =>
  value > uniform
    ? "worse than a uniform answer would be"
    : `${nats(uniform - value)} better than a uniform answer`;

/** @param {ReturnType<typeof answersOf>} answers */
function likeliest({ columns, teacher, student }) {
  const first = columns[best(teacher)],
    guess = columns[best(student)];
  return first === guess
    ? `Both find prototype #${first} the likeliest.`
    : `The teacher finds #${first} the likeliest, the student #${guess}.`;
}
