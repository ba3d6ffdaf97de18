/* The whole screen of welcome: told/welcome.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import "../screens/welcome/index.js";

test("the screen of welcome does what is written of it", () =>
  tellWhole("welcome", { views: PICTURES }));
