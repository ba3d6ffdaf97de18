/* The whole screen of crops: told/crops.txt. */
import { tellWhole } from "./whole-screen.js";
import { test } from "node:test";
import { PICTURES } from "./pictures.js";
import "../screens/crops/index.js";

test("the screen of crops does what is written of it", () =>
  tellWhole("crops", { views: PICTURES }));
