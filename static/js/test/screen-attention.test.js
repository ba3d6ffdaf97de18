/* The whole screen of attention: told/attention.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import { create } from "../screens/attention/index.js";

test("the screen of attention does what is written of it", () =>
  tellWhole("attention", { create, views: PICTURES }));
