/* The whole screen of losses: told/losses.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import "../screens/losses/index.js";

test("the screen of losses does what is written of it", () =>
  tellWhole("losses", { views: PICTURES }));
