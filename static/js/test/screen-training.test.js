/* The whole screen of training: told/training.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import "../screens/training/index.js";

test("the screen of training does what is written of it", () =>
  tellWhole("training", { views: PICTURES }));
