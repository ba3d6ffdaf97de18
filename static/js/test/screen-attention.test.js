/* The whole screen of attention: told/attention.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import "../screens/attention/index.js";

test("the screen of attention does what is written of it", () =>
  tellWhole("attention", { views: PICTURES }));
