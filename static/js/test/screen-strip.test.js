/* The whole screen of strip: told/strip.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import "../screens/strip/index.js";

test("the screen of strip does what is written of it", () =>
  tellWhole("strip", { views: PICTURES, skip: (node) => node.id.startsWith("inside-to-") }));
