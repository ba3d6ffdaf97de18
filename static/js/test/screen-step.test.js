/* The whole screen of step: told/step.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import "../screens/step/index.js";

test("the screen of step does what is written of it", () =>
  tellWhole("step", { views: PICTURES, each: 1 }));
