/* What happens at a line, in sentences with the step's own numbers. */
import { percent, plural, short, signed } from "../../ui/format.js";
import { rangeOf, sumOf } from "./arithmetic.js";
import { GLOBALS, hiddenIn } from "./crops.js";
import { TERMS } from "./tables.js";

/** @typedef {import("./state.js").StepScene} StepScene */
/** @typedef {import("./state.js").Drawing} View */

/** @type {Record<View, { title: string, words: (scene: StepScene) => string }>} */
export const WORDS = {
  batch: {
    title: "The batch",
    words: ({ facts }) => {
      const { pictures, crops, masked_crops: masked } = facts,
        locals = crops.length - GLOBALS;
      return (
        `${pictures} pictures: yours, and ${facts.companions.length} samples so that it is not alone. ` +
        `Each gives ${GLOBALS} global crops of ${crops[0].size} px` +
        (locals ? ` and ${locals} local ones of ${crops[GLOBALS].size} px. ` : ". ") +
        `${masked} of the ${GLOBALS * pictures} global crops have a mask; half of a batch are to have ` +
        "one. Which ones is drawn; here your first is always among them."
      );
    },
  },
  teacher_sees: {
    title: "What the teacher sees",
    words: () => "The two global crops of each picture, and nothing of them is hidden.",
  },
  teacher: {
    title: "What the teacher says",
    words: ({ facts }) =>
      `A logit for each of ${facts.prototypes[0]} prototypes, of the class token of each view; ` +
      `${facts.prototypes[1]} of each patch that the student will not see. The prototypes that stand out:`,
  },
  targets: {
    title: "The targets",
    words: ({ facts }) => {
      const temperature = Number(facts.values.teacher_temperature.toFixed(4));
      return facts.targets_by === "centering"
        ? "The mean logit of each prototype is taken off, so that none can win everywhere; the " +
            `temperature of ${temperature} makes the answers sharp. These distributions are what the ` +
            "student is asked for."
        : "Sinkhorn-Knopp scales rows and columns in turns, until each token's answer sums to 1 and all " +
            `prototypes are used alike, at a temperature of ${temperature}. With so few tokens there ` +
            "is little to share out.";
    },
  },
  student_sees: {
    title: "What the student sees",
    words: (scene) => {
      const hidden = [0, 1].map((crop) => hiddenIn(scene, crop)),
        [h, w] = scene.facts.grid;
      const own = hidden.some(Boolean)
        ? `of yours ${hidden.join(" and ")} of ${h * w} patches are hidden`
        : "this recipe hides none of yours";
      return `All crops, the global ones through their masks: ${own}.`;
    },
  },
  student: {
    title: "What the student says",
    words: ({ facts }) =>
      `Of every crop the same question, at a temperature of ${facts.student_temperature}. ` +
      "The softer its rows beside the targets, the more there is to learn.",
  },
  dino: {
    title: "DINO: every crop predicts the other views",
    words: (scene) => {
      const counted = scene.dino.filter((_, i) => Math.floor(i / GLOBALS) !== i % GLOBALS),
        [low, high] = rangeOf(counted);
      return (
        `Cross-entropies of your picture in nats, ${low.toFixed(2)} to ${high.toFixed(2)}; uniform ` +
        `answers would pay ln K = ${Math.log(scene.facts.prototypes[0]).toFixed(2)}. A crop is not ` +
        "compared with itself. The loss is the mean over the pairs and the batch."
      );
    },
  },
  koleo: {
    title: "KoLeo: pictures keep apart",
    words: ({ facts }) =>
      facts.koleo.length
        ? "Minus the logarithm of the distance to the nearest other picture on the unit sphere. For " +
          `yours: ${facts.koleo.map((value) => signed(value)).join(" and ")} in the two views, that is ` +
          `distances of ${facts.koleo.map((value) => Math.exp(-value).toFixed(2)).join(" and ")}.`
        : "Its weight is 0: nothing keeps the class tokens apart but the targets.",
  },
  ibot: {
    title: "iBOT: hidden patches are guessed",
    words: (scene) => {
      const costs = Array.from(scene.ibot).filter((value) => value >= 0);
      if (!scene.facts.weights.ibot) return "Its weight is 0: no patch is asked for.";
      if (!costs.length) return "This recipe hides none of your patches.";
      const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
      return (
        `${plural(costs.length, "hidden patch", "hidden patches")} of yours, ${mean.toFixed(2)} nats ` +
        "on average. Each crop counts as one, however much of it is hidden."
      );
    },
  },
  losses: {
    title: "The loss",
    words: ({ facts }) =>
      `The four terms with their weights (DINO ${facts.weights.dino}, iBOT ${facts.weights.ibot}, ` +
      `KoLeo ${facts.weights.koleo}), over the whole batch.`,
  },
  gradients: {
    title: "Backwards: the gradients",
    words: (scene) => {
      const { facts } = scene,
        shares = meanShares(scene),
        most = shares.indexOf(Math.max(...shares));
      return (
        "How the sum would change with every weight, layer by layer, and whose doing it is: each loss " +
        "was sent backwards alone as well. Its share is the part of its gradient that lies along the " +
        `sum. In the backbone most comes from ${TERMS[facts.terms[most]]}: ${percent(shares[most], 0)} ` +
        "on average over the layers."
      );
    },
  },
  clipping: {
    title: "Clipping",
    words: ({ facts }) => {
      const clipped = Object.values(facts.kept).filter((share) => share < 1).length;
      if (facts.clip === null) return "Nothing is clipped in this recipe.";
      return (
        `Gradients longer than ${facts.clip} are shortened to that, in the backbone and in each head ` +
        "by itself. " +
        (clipped
          ? `That is so for ${clipped} of ${Object.keys(facts.kept).length}.`
          : "None is longer.")
      );
    },
  },
  student_moved: {
    title: "The student moves",
    words: ({ facts }) =>
      `AdamW at a learning rate of ${short(facts.values.learning_rate)}, weight decay ` +
      `${short(facts.values.weight_decay)}. ` +
      (facts.number
        ? "What it remembers of the steps before decides with the gradient."
        : "It has no memory yet: in a first step every weight moves by about its learning rate, " +
          "however long its gradient is."),
  },
  teacher_moved: {
    title: "The teacher follows",
    words: ({ facts }) =>
      `It goes ${percent(1 - facts.values.momentum, 2)} of the way to the student: momentum ` +
      `${facts.values.momentum.toFixed(4)}. It is an average of many students, and sees no gradient.`,
  },
  after: {
    title: "What it brought",
    words: ({ facts }) => {
      const before = sumOf(facts.before),
        after = sumOf(facts.after),
        way = after < before ? "fell" : "rose";
      return (
        `On the same crops, against the same targets, the loss ${way} from ${signed(before, 3)} to ` +
        `${signed(after, 3)}. ` +
        (after < before
          ? "The next batch will have other crops."
          : "The step was too large for these weights: a lower learning rate helps.")
      );
    },
  },
};

/** Mean over the backbone's layers of each loss's share. @param {StepScene} scene */
export function meanShares({ facts, shares }) {
  const m = facts.terms.length,
    layers = facts.layers.flatMap((name, i) => (/head|prototypes/.test(name) ? [] : [i]));
  return facts.terms.map(
    (_, j) => layers.reduce((sum, i) => sum + shares[i * m + j], 0) / layers.length,
  );
}
