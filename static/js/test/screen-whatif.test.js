/* The whole screen of whatif: told/whatif.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import "../screens/whatif/index.js";

test("the screen of whatif does what is written of it", () =>
  tellWhole("whatif", { views: PICTURES, most: 300 }));
