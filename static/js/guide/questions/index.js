/* The questions of the path, by their names. */
import { IN_TRAINING } from "./in-training.js";
import { ON_PICTURE } from "./on-picture.js";

/** @type {Record<string, (view: import("../../types/page").View) => Promise<import("./kinds.js").Task>>} */
export const QUESTIONS = { ...ON_PICTURE, ...IN_TRAINING };
