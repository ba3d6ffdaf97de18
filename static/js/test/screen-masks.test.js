/* The whole screen of masks: told/masks.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import "../screens/masks/index.js";

test("the screen of masks does what is written of it", () =>
  tellWhole("masks", { views: PICTURES }));
