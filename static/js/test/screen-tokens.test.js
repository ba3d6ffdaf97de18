/* The whole screen of tokens: told/tokens.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import "../screens/tokens/index.js";

test("the screen of tokens does what is written of it", () =>
  tellWhole("tokens", { views: PICTURES }));
