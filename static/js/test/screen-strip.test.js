/* The whole screen of strip: told/strip.txt. */
import { tellWhole } from "./whole-screen.js";
import "../guide/index.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import { create } from "../screens/strip/index.js";

test("the screen of strip does what is written of it", () =>
  tellWhole("strip", { create, views: PICTURES }));
