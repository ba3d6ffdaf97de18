/* Runs, as app/routes/runs.py answers. */

export type RunAction = "pause" | "resume" | "stop" | "mend" | "delete";
export type RunState =
  "waiting" | "starting" | "running" | "paused" | "stopped" | "finished" | "failed";

export type RunKind = "pretraining" | "fine-tuning" | "distillation";

/** What everybody may know of a run. */
export interface RunCard {
  name: string;
  title: string;
  kind: RunKind | "";
  steps: number;
  /** s since 1970 */
  asked: number | null;
  mine: boolean;
  state: RunState;
  words: string;
  step: number;
  seconds_left: number | null;
  alive: boolean;
  /** in the queue, from 1 */
  place: number | null;
  /** s since 1970 */
  updated: number;
  /** what its owner can ask of it now */
  actions: RunAction[];
}

/** The open run. */
export interface RunDetails extends RunCard {
  verdict: { kind: string; words: string } | null;
  command: string;
  moments: string[];
  report: boolean;
  weights: string | null;
  /** steps of which there are weights, the oldest first */
  kept_steps: number[];
  pictures_shown?: boolean;
  /** what is switched in an experiment, "" for none */
  switches: string;
  /** as their owner has written them */
  notes: { name: string; note: string; pictures: string };
  /** what was mended */
  history: string[];
}

/** A line of a run's metrics, as far as the page knows what it means. */
export interface Line {
  [name: string]: unknown;
  step: number;
  seconds?: number;
  steps_per_second?: number;
  pictures_per_second?: number;
  logged?: Record<string, number | null>;
  uniform?: Record<string, number | null>;
  measured?: {
    teacher_entropy: { dino?: number | null };
    teacher_entropy_marginal: { dino?: number | null };
  };
  /** k-NN over pieces, in %, of and from so many pictures; docs/metrics.md has the names */
  piece_knn?: {
    cls: number | null;
    teacher?: number | null;
    chance: number;
    pictures: number;
  };
  /** whether it was looked at whose the gradients are: runs/NAME/shares */
  gradient_shares?: boolean;
  stage?: string;
  validation_accuracy?: number;
}

export interface Metrics {
  lines: Line[];
  next: number;
  mark: string;
  anew: boolean;
  more: boolean;
  run: RunDetails;
}

export interface Preset {
  name: string;
  words: string;
  steps: number;
  batch: number;
  needs_weights: boolean;
  fits: boolean;
}

/** How a student is taught: by the teacher's features, or by its prototypes as in the paper. */
export type Recipe = "features" | "paper";

/** A part of the method that can be switched off or turned too far. */
export interface Experiment {
  name: string;
  title: string;
  /** what it should do */
  words: string;
  /** names of those that cannot be chosen beside it */
  excludes: string[];
}

/** What runs there are, and what a new one can be made from. */
export interface Runs {
  runs: RunCard[];
  presets: Preset[];
  /** what a distillation may teach */
  /** by the recipe of the distillation */
  students: Record<Recipe, Preset[]>;
  /** of training from scratch or from weights */
  experiments: Experiment[];
  /** [name, label] */
  models: [string, string][];
  /** the visitor's own, whose pictures need not be sent again */
  galleries: GalleryZip[];
}

/** A gallery of Many pictures, as something to learn from. */
export interface GalleryZip {
  name: string;
  title: string;
  pictures: number;
}

/** A zip that was taken. */
export interface Upload {
  token: string;
  name: string;
  bytes: number;
  pictures: number;
  /** name -> how many pictures */
  classes: Record<string, number>;
  divided: boolean;
  left_out: number;
  /** folders that were passed over -> their files */
  aside: Record<string, number>;
  choice: import("../ui/picture-choice.js").PictureChoice;
  notes: string[];
}

export interface ClassScore {
  name: string;
  pictures: number;
  precision: number | null;
  recall: number | null;
  f1: number | null;
}

export interface Mistake {
  number: number;
  true: string;
  predicted: string;
  probabilities: Record<string, number>;
  file?: string;
}

/** The test of a fine-tuning. Shares are 0 to 1. */
export interface Report {
  pictures: number;
  accuracy: number;
  standard_error: number;
  balanced_accuracy: number;
  always_the_commonest: number;
  classes: ClassScore[];
  /** rows are the truth, columns the prediction */
  confusion: number[][];
  mistakes: Mistake[];
  best_epoch: number;
  balance: { words: string };
  counts: { train: number; validation: number; test: number };
  skipped: { file: string; why: string }[];
  /** which it began with, and what is known of them; "" where nobody noted it */
  weights: string;
  /** whether what each layer of those does by itself was judged: runs/NAME/layers */
  layers: boolean;
}
