/* The whole screen of features: told/features.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import "../screens/features/index.js";

test("the screen of features does what is written of it", () =>
  tellWhole("features", { views: PICTURES }));
